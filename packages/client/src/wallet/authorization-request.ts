import { equalBytes, utf8 } from '@tillit/codec'
import { thumbprint } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { CityError } from '../city.ts'
import { jsonOf } from './ask.ts'
import { clientAuthentication } from './client-authentication.ts'
import { openDpopSession, postWithDpop } from './dpop.ts'
import { type IssuerMetadata, readIssuerMetadata } from './issuer-metadata.ts'
import { randomText } from './random-text.ts'
import { readMembers } from './read-members.ts'
import { type Authorization, codeChallenge, detailsFor, dpopKey, requestTokenForCode } from './request-token.ts'
import type { WalletContext } from './wallet-context.ts'

/** What a wallet remembers while the person signs in elsewhere. Secret until then, useless afterwards. */
export interface PendingAuthorization {
  readonly credentialIssuer: string
  readonly authorizationServer: string
  readonly configurationIds: readonly string[]
  readonly state: string
  readonly codeVerifier: string
  readonly redirectUri: string
  readonly dpopKeyId: string
}

export interface AuthorizationStart {
  /** Where to send the person's browser. */
  readonly url: string
  readonly pending: PendingAuthorization
}

/**
 * Begins the authorization code flow as HAIP 1.0 has it: a pushed request (RFC 9126) with PKCE and the key that the tokens
 * will be bound to. Throws Problem feature-not-supported when the issuer or this wallet cannot, CityError when it refuses.
 */
export async function beginAuthorization(
  context: WalletContext,
  metadata: IssuerMetadata,
  { configurationIds, issuerState }: { configurationIds: readonly string[]; issuerState: string | null },
): Promise<AuthorizationStart> {
  const { client } = context
  const server = metadata.authorizationServer
  if (client === null) throw unsupported('This wallet is not known to the authorization server')
  if (server.parEndpoint === null || server.authorizationEndpoint === null)
    throw unsupported('The authorization server does not take pushed requests')
  const key = await dpopKey(context, server)
  const pending: PendingAuthorization = {
    credentialIssuer: metadata.credentialIssuer,
    authorizationServer: server.issuer,
    configurationIds,
    state: randomText(),
    codeVerifier: randomText(),
    redirectUri: client.redirectUri,
    dpopKeyId: key.id,
  }
  const credentials = await clientAuthentication(context, server)
  const answer = await postWithDpop(context, openDpopSession(key.signer), {
    url: server.parEndpoint,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...credentials.headers,
    },
    body: new URLSearchParams({
      response_type: 'code',
      client_id: client.clientId,
      redirect_uri: client.redirectUri,
      state: pending.state,
      code_challenge: codeChallenge(pending.codeVerifier),
      code_challenge_method: 'S256',
      dpop_jkt: thumbprint(key.signer.publicKey),
      authorization_details: detailsFor(metadata, configurationIds),
      ...(issuerState === null ? {} : { issuer_state: issuerState }),
      ...credentials.form,
    }).toString(),
  })
  const { text } = readMembers(jsonOf(answer), malformed)
  const url = new URL(server.authorizationEndpoint)
  url.searchParams.set('client_id', client.clientId)
  url.searchParams.set('request_uri', text('request_uri'))
  return { url: url.href, pending }
}

/**
 * The token for what the browser brought back to the redirect URI. Throws Problem invalid-request when the answer does not
 * belong to what was begun, CityError with the OAuth error when the person or the server refused.
 */
export async function finishAuthorization(
  context: WalletContext,
  pending: PendingAuthorization,
  redirectedTo: string,
): Promise<{ authorization: Authorization; metadata: IssuerMetadata }> {
  const { origin, pathname, searchParams } = new URL(redirectedTo)
  const expected = new URL(pending.redirectUri)
  if (origin !== expected.origin || pathname !== expected.pathname) throw foreign('The answer came to another address')
  // RFC 6749 section 10.12: else somebody else's answer would fill this person's wallet.
  if (!equalBytes(utf8(searchParams.get('state') ?? ''), utf8(pending.state)))
    throw foreign('The answer is for another request')
  const metadata = await readIssuerMetadata(pending.credentialIssuer, context, {
    authorizationServer: pending.authorizationServer,
  })
  // RFC 9207 section 2.4: against mix-up of authorization servers.
  const iss = searchParams.get('iss')
  if (iss === null ? metadata.authorizationServer.namesItself : iss !== pending.authorizationServer)
    throw foreign('The answer is from another authorization server')
  const error = searchParams.get('error')
  if (error !== null) throw new CityError(400, { code: error, detail: searchParams.get('error_description') ?? error })
  const code = searchParams.get('code')
  if (code === null) throw foreign('The answer has no code')
  const authorization = await requestTokenForCode(context, metadata, { ...pending, code })
  return { authorization, metadata }
}

function unsupported(detail: string): Problem {
  return new Problem('feature-not-supported', { detail })
}

function foreign(detail: string): Problem {
  return new Problem('invalid-request', { detail })
}

function malformed(detail: string): Problem {
  return new Problem('invalid-issuer-metadata', { detail })
}
