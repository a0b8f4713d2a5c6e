import type { webcrypto } from 'node:crypto'
import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { type PrivateJwk, privateJwkFromSeed, type Signer, signJws } from '@tillit/keys'
import * as client from 'openid-client'
import type { SignedIn, SigningIn } from './sessions.ts'

const assertionSeconds = 60
const timeoutSeconds = 20

export interface SignInPorts {
  publicUrl: string
  /** Where the city is reached from here: the same as `publicUrl` unless a proxy stands between. */
  internalUrl: string
  clientId: string
  clientSigner: Signer
  keyId: string
  now: () => Date
  randomBytes: (length: number) => Uint8Array
}

export type SignIn = ReturnType<typeof createSignIn>

/** Where the browser comes back to: to be registered with the authorization server. */
export function portalRedirects(publicUrl: string): { redirectUris: string[]; postLogoutRedirectUris: string[] } {
  return { redirectUris: [`${publicUrl}/portal/callback`], postLogoutRedirectUris: [`${publicUrl}/portal/`] }
}

/** OpenID Connect at the city's authorization server: code flow with PAR, PKCE, private_key_jwt and DPoP (FAPI 2.0). */
export function createSignIn(ports: SignInPorts) {
  const { publicUrl, randomBytes } = ports
  let found: Promise<client.Configuration> | undefined
  // The server may start after us, so a failed discovery is tried again by the next sign-in.
  const configuration = (): Promise<client.Configuration> => {
    found ??= discover(ports).catch((error) => {
      found = undefined
      throw error
    })
    return found
  }
  const random = (): string => toBase64url(randomBytes(32))

  return {
    async begin(): Promise<{ location: string; signingIn: SigningIn }> {
      const config = await configuration()
      const signingIn: SigningIn = {
        kind: 'signing-in',
        state: random(),
        nonce: random(),
        codeVerifier: random(),
        dpopKey: await privateJwkFromSeed(randomBytes(32)),
      }
      const parameters = {
        redirect_uri: `${publicUrl}/portal/callback`,
        scope: 'openid',
        resource: publicUrl,
        state: signingIn.state,
        nonce: signingIn.nonce,
        code_challenge: toBase64url(sha256(utf8(signingIn.codeVerifier))),
        code_challenge_method: 'S256',
      }
      const location = await client.buildAuthorizationUrlWithPAR(config, parameters, {
        DPoP: await dpopHandle(config, signingIn.dpopKey),
      })
      return { location: location.href, signingIn }
    },

    /** `query` is that of the callback. Throws what openid-client throws when anything does not match. */
    async finish(query: string, { state, nonce, codeVerifier, dpopKey }: SigningIn): Promise<SignedIn> {
      const config = await configuration()
      const answer = await client.authorizationCodeGrant(
        config,
        new URL(`${publicUrl}/portal/callback${query}`),
        { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: codeVerifier, idTokenExpected: true },
        { resource: publicUrl },
        { DPoP: await dpopHandle(config, dpopKey) },
      )
      const customer = answer.claims()?.sub
      if (customer === undefined) throw new Error('the ID token names nobody')
      return { kind: 'signed-in', customer, dpopKey, ...tokensOf(answer, null, ports.now()) }
    },

    /** A session with a fresh access token, or null when the server gives none any more. */
    async renew(session: SignedIn): Promise<SignedIn | null> {
      if (session.refreshToken === null) return null
      const config = await configuration()
      try {
        const answer = await client.refreshTokenGrant(
          config,
          session.refreshToken,
          { resource: publicUrl },
          { DPoP: await dpopHandle(config, session.dpopKey) },
        )
        return { ...session, ...tokensOf(answer, session.refreshToken, ports.now()) }
      } catch (error) {
        if (error instanceof client.ResponseBodyError && error.error === 'invalid_grant') return null
        throw error
      }
    },

    /** Where the browser ends the sign-in at the server itself. */
    async end(session: SignedIn): Promise<string> {
      const config = await configuration()
      if (session.refreshToken !== null) await client.tokenRevocation(config, session.refreshToken)
      return client.buildEndSessionUrl(config, { post_logout_redirect_uri: `${publicUrl}/portal/` }).href
    },
  }
}

async function discover(ports: SignInPorts): Promise<client.Configuration> {
  const { publicUrl, internalUrl, clientId } = ports
  const insecure = publicUrl.startsWith('http:') || internalUrl.startsWith('http:')
  const config = await client.discovery(
    new URL(`${publicUrl}/oauth`),
    clientId,
    { id_token_signed_response_alg: 'EdDSA' },
    assertionBy(ports),
    {
      timeout: timeoutSeconds,
      execute: insecure ? [client.allowInsecureRequests] : [],
      [client.customFetch]: (url, options) => fetch(internal(url, publicUrl, internalUrl), options as RequestInit),
    },
  )
  return config
}

function internal(url: string, publicUrl: string, internalUrl: string): string {
  return url.startsWith(`${publicUrl}/`) ? internalUrl + url.slice(publicUrl.length) : url
}

/** RFC 7523 section 3, with the issuer as audience (FAPI 2.0). */
function assertionBy({ clientId, clientSigner, keyId, now, randomBytes }: SignInPorts): client.ClientAuth {
  return async (server, _client, body) => {
    const nowSeconds = Math.floor(now().getTime() / 1000)
    const claims = {
      iss: clientId,
      sub: clientId,
      aud: server.issuer,
      jti: toBase64url(randomBytes(16)),
      iat: nowSeconds,
      exp: nowSeconds + assertionSeconds,
    }
    body.set('client_id', clientId)
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    body.set('client_assertion', await signJws({ typ: 'JWT', kid: keyId }, claims, clientSigner))
  }
}

async function dpopHandle(config: client.Configuration, jwk: PrivateJwk): Promise<client.DPoPHandle> {
  const { d, ...publicJwk } = jwk
  const pair: webcrypto.CryptoKeyPair = {
    privateKey: await crypto.subtle.importKey('jwk', { ...publicJwk, d }, 'Ed25519', false, ['sign']),
    publicKey: await crypto.subtle.importKey('jwk', publicJwk, 'Ed25519', true, ['verify']),
  }
  return client.getDPoPHandle(config, pair)
}

function tokensOf(
  answer: { access_token: string; refresh_token?: string; expires_in?: number },
  refreshToken: string | null,
  now: Date,
): Pick<SignedIn, 'accessToken' | 'refreshToken' | 'expiresAtSeconds'> {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? refreshToken,
    expiresAtSeconds: Math.floor(now.getTime() / 1000) + (answer.expires_in ?? 0),
  }
}
