import { createHash, createPublicKey, verify } from 'node:crypto'
import {
  type ClientAuthenticationCallback,
  clientAuthenticationAnonymous,
  clientAuthenticationNone,
  Oauth2Client,
  type RequestDpopOptions,
  setGlobalConfig,
} from '@openid4vc/oauth2'
import { type CredentialOfferObject, type IssuerMetadataResult, Openid4vciClient } from '@openid4vc/openid4vci'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { createCallbacks, resolvePublicKey } from './callbacks.ts'
import { createPresentingWallet } from './present-credential.ts'
import {
  createWalletKey,
  type PrivateJwk,
  signCompact,
  type WalletAlgorithm,
  type WalletKey,
  walletKeyFrom,
} from './wallet-key.ts'

// The cities of tests speak http on this machine.
setGlobalConfig({ allowInsecureUrls: true })

export interface Held {
  configurationId: string
  credential: string
  key: WalletKey
}

export interface IndependentWalletOptions {
  /** A resolver of DIDs over HTTP. */
  resolverUrl: string
  alg?: WalletAlgorithm
  /** How an authorization server knows the wallet. */
  client?: { clientId: string; redirectUri: string }
  /** A holder that is a DID and signs in with its key. */
  identity?: { did: string; didUrl: string; privateJwk: PrivateJwk }
}

/**
 * A wallet as somebody else would build it, on @openid4vc, @sd-jwt and dcql, with nothing of ours: so that a city is not only
 * compatible with itself. It keeps everything in memory and checks no more than the libraries do.
 */
export class IndependentWallet {
  readonly held: Held[] = []
  readonly #keys: WalletKey[] = []
  readonly #options: IndependentWalletOptions

  constructor(options: IndependentWalletOptions) {
    this.#options = options
  }

  /** OpenID4VCI 1.0 with a pre-authorized code. */
  async receiveOffer(link: string, txCode?: string): Promise<Held[]> {
    const client = await this.#issuanceClient(clientAuthenticationAnonymous())
    const { offer, issuerMetadata } = await this.#open(client, link)
    const { accessTokenResponse, dpop } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
      credentialOffer: offer,
      issuerMetadata,
      ...(txCode === undefined ? {} : { txCode }),
      dpop: await this.#newDpop(),
    })
    return this.#receive(client, issuerMetadata, {
      accessToken: accessTokenResponse.access_token,
      dpop,
      configurationIds: offer.credential_configuration_ids,
    })
  }

  /** OpenID4VCI 1.0 with the authorization code; `browse` takes the person's browser there and gives where it came back. */
  async receiveByAuthorizationCode(link: string, browse: (url: string) => Promise<string>): Promise<Held[]> {
    const { client: registration } = this.#options
    if (registration === undefined) throw new Error('the wallet is not known to any authorization server')
    const client = await this.#issuanceClient(clientAuthenticationNone({ clientId: registration.clientId }))
    const { offer, issuerMetadata } = await this.#open(client, link)
    const dpop = await this.#newDpop()
    const started = await client.initiateAuthorization({
      clientId: registration.clientId,
      redirectUri: registration.redirectUri,
      scope: offer.credential_configuration_ids.join(' '),
      credentialOffer: offer,
      issuerMetadata,
      dpop,
    })
    if (!('authorizationRequestUrl' in started)) throw new Error('the server wants something else than a browser')
    const [server] = issuerMetadata.authorizationServers
    if (server === undefined) throw new Error('the issuer has no authorization server')
    const answer = client.parseAndVerifyAuthorizationResponseRedirectUrl({
      url: await browse(started.authorizationRequestUrl),
      authorizationServerMetadata: server,
    })
    if (answer.code === undefined) throw new Error(`the server answered ${answer.error}`)
    const token = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
      issuerMetadata,
      credentialOffer: offer,
      authorizationCode: answer.code,
      redirectUri: registration.redirectUri,
      ...(started.pkce === undefined ? {} : { pkceCodeVerifier: started.pkce.codeVerifier }),
      dpop,
    })
    return this.#receive(client, issuerMetadata, {
      accessToken: token.accessTokenResponse.access_token,
      dpop: token.dpop ?? dpop,
      configurationIds: offer.credential_configuration_ids,
    })
  }

  /** A DID asks for its own credential: client credentials with an assertion (RFC 7523), then as everybody. */
  async receiveOwn(issuer: string, configurationId: string): Promise<Held[]> {
    const { identity } = this.#options
    if (identity === undefined) throw new Error('the holder is no DID')
    const key = await walletKeyFrom(identity.privateJwk)
    const client = await this.#issuanceClient(assertionBy(identity, key))
    const issuerMetadata = await client.resolveIssuerMetadata(issuer)
    const [server] = issuerMetadata.authorizationServers
    if (server === undefined) throw new Error('the issuer has no authorization server')
    const callbacks = await this.#callbacks(assertionBy(identity, key))
    const token = await new Oauth2Client({ callbacks }).retrieveClientCredentialsAccessToken({
      authorizationServerMetadata: server,
      resource: issuer,
      dpop: await this.#newDpop(),
    })
    return this.#receive(client, issuerMetadata, {
      accessToken: token.accessTokenResponse.access_token,
      dpop: token.dpop,
      configurationIds: [configurationId],
    })
  }

  /** OpenID4VP 1.0: fetches the request, answers it with that credential, and gives where to go on, or null. */
  async present(link: string, { credential, key }: Held): Promise<string | null> {
    const wallet = createPresentingWallet({
      fetch,
      resolveKey: async (didUrl) => ({ ...(await resolvePublicKey(didUrl, this.#options.resolverUrl)) }),
    })
    const response = await wallet.answer(await wallet.resolve(link), {
      credentials: [credential],
      key,
    })
    const body = (await response.json()) as { redirect_uri?: string; error?: string; error_description?: string }
    if (!response.ok) throw new Error(`${body.error}: ${body.error_description}`)
    return body.redirect_uri ?? null
  }

  async #open(client: Openid4vciClient, link: string) {
    const offer: CredentialOfferObject = await client.resolveCredentialOffer(link)
    return { offer, issuerMetadata: await client.resolveIssuerMetadata(offer.credential_issuer) }
  }

  async #receive(
    client: Openid4vciClient,
    issuerMetadata: IssuerMetadataResult,
    {
      accessToken,
      dpop,
      configurationIds,
    }: { accessToken: string; dpop: RequestDpopOptions | undefined; configurationIds: string[] },
  ): Promise<Held[]> {
    const received: Held[] = []
    for (const configurationId of configurationIds) {
      const { key, signer } = await this.#proofKey()
      const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata })
      const { jwt } = await client.createCredentialRequestJwtProof({
        issuerMetadata,
        credentialConfigurationId: configurationId,
        nonce,
        signer,
      })
      const { credentialResponse } = await client.retrieveCredentials({
        issuerMetadata,
        credentialConfigurationId: configurationId,
        accessToken,
        proofs: { jwt: [jwt] },
        ...(dpop === undefined ? {} : { dpop }),
      })
      for (const item of credentialResponse.credentials ?? []) {
        const credential = typeof item === 'object' && 'credential' in item ? item.credential : item
        if (typeof credential !== 'string') throw new Error('the credential is not text')
        await this.#verify(credential)
        received.push({ configurationId, credential, key })
      }
      const { notification_id: notificationId } = credentialResponse
      if (typeof notificationId === 'string') {
        await client.sendNotification({
          issuerMetadata,
          accessToken,
          notification: { notificationId, event: 'credential_accepted' },
          ...(dpop === undefined ? {} : { dpop }),
        })
      }
    }
    this.held.push(...received)
    return received
  }

  /** The key of the DID, or a new one for this credential. */
  async #proofKey() {
    const { identity, alg = 'ES256' } = this.#options
    if (identity !== undefined) {
      const key = await walletKeyFrom(identity.privateJwk)
      return { key, signer: { method: 'did' as const, alg: key.alg, didUrl: identity.didUrl } }
    }
    const key = await this.#newKey(alg)
    return { key, signer: { method: 'jwk' as const, alg, publicJwk: key.publicJwk } }
  }

  /** Signature, time and status, by the library; the key of whoever signed is that of the DID URL in `kid`. */
  async #verify(credential: string): Promise<void> {
    const verifierOf = (jwt: string) => async (data: string, signature: string) => {
      const { kid } = JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }
      const jwk = await resolvePublicKey(kid, this.#options.resolverUrl)
      const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
      return verify(null, Buffer.from(data), key, Buffer.from(signature, 'base64url'))
    }
    let statusList = ''
    const sdJwt = new SDJwtVcInstance({
      hasher,
      hashAlg: 'sha-256',
      verifier: verifierOf(credential),
      statusListFetcher: async (uri) => {
        const reply = await fetch(uri, { headers: { accept: 'application/statuslist+jwt' } })
        statusList = await reply.text()
        return statusList
      },
      // Without one of its own, the library would take the credential's key for that of the list.
      statusVerifier: (data, signature) => verifierOf(statusList)(data, signature),
    })
    await sdJwt.verify(credential)
  }

  async #newKey(alg: WalletAlgorithm): Promise<WalletKey> {
    const key = await createWalletKey(alg)
    this.#keys.push(key)
    return key
  }

  async #newDpop(): Promise<RequestDpopOptions> {
    const { publicJwk, alg } = await this.#newKey('ES256')
    return { signer: { method: 'jwk', publicJwk, alg } }
  }

  async #issuanceClient(authentication: ClientAuthenticationCallback): Promise<Openid4vciClient> {
    return new Openid4vciClient({ callbacks: await this.#callbacks(authentication) })
  }

  async #callbacks(authentication: ClientAuthenticationCallback) {
    const { identity, resolverUrl } = this.#options
    const own =
      identity === undefined
        ? null
        : {
            didUrl: identity.didUrl,
            key: await walletKeyFrom(identity.privateJwk),
          }
    return createCallbacks({ all: () => this.#keys, identity: own }, resolverUrl, authentication)
  }
}

function assertionBy({ did, didUrl }: { did: string; didUrl: string }, key: WalletKey): ClientAuthenticationCallback {
  return async ({ body, authorizationServerMetadata }) => {
    body.client_id = did
    body.client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const iat = Math.floor(Date.now() / 1000)
    const claims = {
      iss: did,
      sub: did,
      aud: authorizationServerMetadata.issuer,
      jti: crypto.randomUUID(),
      iat,
      exp: iat + 60,
    }
    body.client_assertion = signCompact(key, { kid: didUrl, typ: 'JWT' }, claims)
  }
}

const hasher = (data: string | ArrayBuffer) =>
  new Uint8Array(
    createHash('sha256')
      .update(typeof data === 'string' ? data : new Uint8Array(data))
      .digest(),
  )
