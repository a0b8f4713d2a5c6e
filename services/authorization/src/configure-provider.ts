import { hkdfSync } from 'node:crypto'
import type { PrivateJwk } from '@tillit/keys'
import type { CredentialType } from '@tillit/schemas'
import { type AdapterPayload, type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { agreementPath } from './agree-to-credential.ts'
import { agreementForWallets, grantOfAgreement } from './agreement-policy.ts'
import { assertedKeyId } from './asserted-key-id.ts'
import { checkWalletRequest } from './check-wallet-request.ts'
import { checkCredentialDetail, credentialDetailsType } from './credential-details.ts'
import { oauthPages } from './oauth-pages.ts'
import { type OffersOfGrants, walletGrantSeconds } from './offer-of-grant.ts'
import type { OfferStore } from './offer-store.ts'
import { grantOfSession, type PortalClient, personScope, portalMetadata } from './portal-client.ts'
import { signInPath } from './sign-in.ts'
import { createStorageAdapter, interactionSeconds } from './storage-adapter.ts'
import type { Store } from './store.ts'
import { type CredentialIdentifiers, tokenDetails } from './token-details.ts'
import { mayBeSubject, subjectOf, tokenClaims } from './token-subject.ts'
import { attestationKey, checkAttestation } from './wallet-attestation.ts'
import { mayCallFrom, walletClients } from './wallet-clients.ts'
import type { Wallet } from './wallets.ts'

/** Every read is decided anew, but a suspended client's token must die soon too. */
export const accessTokenSeconds = 300
const authorizationCodeSeconds = 60
const idTokenSeconds = 300
const pushedRequestSeconds = 60
/** How long a sign-in at the portal lasts: a working day. */
const sessionSeconds = 8 * 3600
/** A client assertion that lives longer would have to be remembered longer. */
const maxAssertionSeconds = 300

const signingAlgorithms = ['EdDSA', 'Ed25519', 'ES256'] as const

export interface ProviderPorts {
  publicUrl: string
  store: Store
  offers: OfferStore
  offerOfGrant: OffersOfGrants
  wallets: readonly Wallet[]
  /** The type of each credential configuration of the issuer. */
  configurations: ReadonlyMap<string, CredentialType>
  credentialIdentifiers: CredentialIdentifiers
  findClient(clientId: string, keyId?: string): Promise<AdapterPayload | undefined>
  signingKeys: (PrivateJwk & { kid: string })[]
  portalClient: PortalClient
  cookieKeys: string[]
  formTargets: readonly string[]
}

/**
 * oidc-provider as a FAPI 2.0 authorization server for machines that are DIDs and for one portal, and as the one that wallets
 * get credentials with (OpenID4VCI 1.0, HAIP 1.0).
 */
export function configureProvider(ports: ProviderPorts): Configuration {
  const pages = oauthPages(ports.formTargets)
  const secure = ports.publicUrl.startsWith('https:')
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, secure } as const
  const portalId = ports.portalClient.clientId
  const isPortal = (clientId: string | undefined) => clientId === portalId
  const configurationIds = new Set(ports.configurations.keys())
  const credentialScopes = [...configurationIds].join(' ')
  const details = tokenDetails({
    credentialIdentifiers: ports.credentialIdentifiers,
    subjectOf: (token) => subjectOf(token, ports.store),
    offerOf: async (token) => (token.kind === 'AccessToken' ? ports.offerOfGrant.find(token.grantId) : undefined),
  })
  const walletOf = (clientId: string) => ports.wallets.find(({ client_id }) => client_id === clientId)

  return {
    adapter: (model: string) => {
      const storage = createStorageAdapter(model, ports.store)
      return model === 'Client' ? { ...storage, find: (id: string) => ports.findClient(id, assertedKeyId()) } : storage
    },
    clients: [portalMetadata(ports.portalClient), ...walletClients(ports.wallets, credentialScopes)],
    jwks: { keys: ports.signingKeys.map((key) => ({ ...key, alg: 'EdDSA', use: 'sig' })) },
    routes: {
      authorization: '/authorize',
      pushed_authorization_request: '/par',
      token: '/token',
      revocation: '/revoke',
      jwks: '/jwks',
      end_session: '/logout',
    },
    cookies: {
      keys: ports.cookieKeys,
      names: { session: 'tillit_session', interaction: 'tillit_sign_in', resume: 'tillit_resume' },
      long: { ...cookie, path: '/oauth' },
      short: cookie,
    },
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      AuthorizationCode: authorizationCodeSeconds,
      IdToken: idTokenSeconds,
      Interaction: interactionSeconds,
      PushedAuthorizationRequest: pushedRequestSeconds,
      RefreshToken: (_ctx, token) => (isPortal(token.clientId) ? sessionSeconds : walletGrantSeconds),
      Session: sessionSeconds,
      Grant: (_ctx, grant) => (isPortal(grant.clientId) ? sessionSeconds : walletGrantSeconds),
      DeviceCode: 1,
      BackchannelAuthenticationRequest: 1,
      PreAuthorizedCode: 1,
    },
    scopes: [personScope, ...configurationIds],
    discovery: { 'pre-authorized_grant_anonymous_access_supported': true },
    responseTypes: ['code'],
    subjectTypes: ['public'],
    clientAuthMethods: ['private_key_jwt', 'attest_jwt_client_auth', 'none'],
    clientDefaults: { id_token_signed_response_alg: 'EdDSA' },
    extraClientMetadata: { properties: ['caller_kind'] },
    enabledJWA: {
      clientAuthSigningAlgValues: [...signingAlgorithms],
      dPoPSigningAlgValues: [...signingAlgorithms],
      attestSigningAlgValues: [...signingAlgorithms],
      idTokenSigningAlgValues: ['EdDSA'],
    },
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: (_ctx, origin, { clientId }) =>
      mayCallFrom(origin, { clientId, wallet: walletOf(clientId), ...ports }),
    assertJwtClientAuthClaimsAndHeader: assertAssertion,
    extraParams: {
      issuer_state: async (ctx, issuerState, client) => {
        if (!walletOf(client.clientId)) return
        await checkWalletRequest(ctx.oidc.params ?? {}, issuerState, { configurationIds, offers: ports.offers })
      },
    },
    extraTokenClaims: (_ctx, token) => tokenClaims(token, ports),
    formats: {
      customizers: {
        jwt: (_ctx, token, jwt) => (isPortal(token.clientId) ? undefined : details.write(token, jwt)),
      },
    },
    findAccount: async (_ctx, subject, source) =>
      (await mayBeSubject(subject, source, ports))
        ? { accountId: subject, claims: async () => ({ sub: subject }) }
        : undefined,
    interactions: {
      policy: agreementForWallets((clientId) => walletOf(clientId) !== undefined),
      url: (_ctx, { uid, prompt }) => `${prompt.name === 'login' ? signInPath : agreementPath}/${uid}`,
    },
    loadExistingGrant: (ctx) =>
      isPortal(ctx.oidc.client?.clientId) ? grantOfSession(ctx, ports.publicUrl) : grantOfAgreement(ctx),
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // FAPI 2.0 section 5.3.2.1: not rotated. RFC 9449 section 5: what binds them is the authentication of portal and attested
    // wallets, and for other wallets the key of their proofs.
    rotateRefreshToken: false,
    expiresWithSession: (_ctx, source) => isPortal(source.clientId),
    renderError: pages.error,
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true, allowReplay: false, nonceSecret: secretFor('dpop-nonce', ports.cookieKeys) },
      attestClientAuth: {
        enabled: true,
        ack: 'draft-12',
        additionalSecuritySignal: false,
        challengeSecret: secretFor('attestation-challenge', ports.cookieKeys),
        getAttestationSignaturePublicKey: (_ctx, header, _payload, client) =>
          attestationKey(walletOf(client.clientId), header),
        assertAttestationJwtAndPop: (_ctx, attestation, pop, client) => checkAttestation(attestation, pop, client),
      },
      richAuthorizationRequests: {
        enabled: true,
        types: {
          [credentialDetailsType]: {
            validate: (_ctx, detail) =>
              checkCredentialDetail(detail, { configurationIds, credentialIssuer: ports.publicUrl }),
          },
        },
        authorizationDetailsForGrantSource: (ctx) => ctx.oidc.grant?.rar,
        authorizationDetailsForAccessToken: (ctx, token, source) => details.ofToken(ctx, token, source),
      },
      fapi: { enabled: true, profile: '2.0' },
      pushedAuthorizationRequests: {
        enabled: true,
        requirePushedAuthorizationRequests: true,
        allowUnregisteredRedirectUris: false,
      },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: true, logoutSource: pages.logout, postLogoutSuccessSource: pages.loggedOut },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf ?? ports.publicUrl,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource, client) => {
          if (!isOrigin(resource, ports.publicUrl)) throw new errors.InvalidTarget()
          return {
            scope: isPortal(client.clientId) ? personScope : credentialScopes,
            audience: ports.publicUrl,
            accessTokenTTL: accessTokenSeconds,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'EdDSA' } },
          }
        },
      },
    },
  }
}

/** Nonces and challenges are computed, not kept; every process of a city has to compute the same. */
function secretFor(purpose: string, [cookieKey = '']: string[]): Buffer {
  return Buffer.from(hkdfSync('sha256', cookieKey, '', purpose, 32))
}

function assertAssertion(ctx: KoaContextWithOIDC, claims: Record<string, unknown>): void {
  // FAPI 2.0 section 5.3.2.1: the issuer as a string, so that an assertion made for another server is of no use here.
  if (claims.aud !== ctx.oidc.issuer) throw new errors.InvalidClientAuth('the audience must be the issuer identifier')
  const lifetimeSeconds = Number(claims.exp) - Date.now() / 1000
  if (!(lifetimeSeconds <= maxAssertionSeconds)) throw new errors.InvalidClientAuth('the assertion lives too long')
}

function isOrigin(resource: string, publicUrl: string): boolean {
  return resource === publicUrl || resource === `${publicUrl}/`
}
