import type { PrivateJwk } from '@tillit/keys'
import type { PublicJwk } from '@tillit/schemas'
import {
  type AccessToken,
  type AdapterPayload,
  type ClientCredentials,
  type ClientMetadata,
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider'
import { assertedKeyId } from './asserted-key-id.ts'
import type { CallerKind } from './find-client.ts'
import { oauthPages } from './oauth-pages.ts'
import { signInUrl } from './sign-in.ts'
import { createStorageAdapter } from './storage-adapter.ts'
import type { Store } from './store.ts'

/** Every read is decided anew, but a suspended client's token must die soon too. */
export const accessTokenSeconds = 300
const authorizationCodeSeconds = 60
const idTokenSeconds = 300
const interactionSeconds = 600
const pushedRequestSeconds = 60
/** How long a sign-in at the portal lasts: a working day. */
const sessionSeconds = 8 * 3600
/** A client assertion that lives longer would have to be remembered longer. */
const maxAssertionSeconds = 300

/** The one scope there is: a person signed in. What may be read is decided by permissions, never by scopes of tokens. */
const personScope = 'openid'

const signingAlgorithms = ['EdDSA', 'Ed25519', 'ES256'] as const

export interface PortalClient {
  clientId: string
  redirectUris: string[]
  postLogoutRedirectUris?: string[]
  /** Public keys the portal signs its assertions with. */
  jwks: { keys: (PublicJwk & { kid?: string })[] }
}

export interface ProviderPorts {
  publicUrl: string
  store: Store
  findClient(clientId: string, keyId?: string): Promise<AdapterPayload | undefined>
  signingKeys: (PrivateJwk & { kid: string })[]
  portalClient: PortalClient
  cookieKeys: string[]
  formTargets: readonly string[]
}

/** oidc-provider as a FAPI 2.0 authorization server for machines that are DIDs, and for one portal. */
export function configureProvider(ports: ProviderPorts): Configuration {
  const pages = oauthPages(ports.formTargets)
  const secure = ports.publicUrl.startsWith('https:')
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, secure } as const
  const policy = interactionPolicy.base()
  // The portal is the city's own page, and no other client can ask for a person: there is nothing to consent to here.
  policy.remove('consent')

  return {
    adapter: (model: string) => {
      const storage = createStorageAdapter(model, ports.store)
      return model === 'Client' ? { ...storage, find: (id: string) => ports.findClient(id, assertedKeyId()) } : storage
    },
    clients: [portalMetadata(ports.portalClient)],
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
      RefreshToken: sessionSeconds,
      Session: sessionSeconds,
      Grant: sessionSeconds,
      DeviceCode: 1,
      BackchannelAuthenticationRequest: 1,
      PreAuthorizedCode: 1,
    },
    scopes: [personScope],
    responseTypes: ['code'],
    subjectTypes: ['public'],
    clientAuthMethods: ['private_key_jwt'],
    clientDefaults: { id_token_signed_response_alg: 'EdDSA' },
    extraClientMetadata: { properties: ['caller_kind'] },
    enabledJWA: {
      clientAuthSigningAlgValues: [...signingAlgorithms],
      dPoPSigningAlgValues: [...signingAlgorithms],
      idTokenSigningAlgValues: ['EdDSA'],
    },
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: () => false,
    assertJwtClientAuthClaimsAndHeader: assertAssertion,
    extraTokenClaims: (_ctx, token) => ({ kind: callerKind(token) }),
    findAccount: async (_ctx, customerId) =>
      (await ports.store.customerExists(customerId))
        ? { accountId: customerId, claims: async () => ({ sub: customerId }) }
        : undefined,
    interactions: { policy, url: (_ctx, interaction) => signInUrl(interaction.uid) },
    loadExistingGrant: (ctx) => grantOfSession(ctx, ports.publicUrl),
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // FAPI 2.0 section 5.3.2.1: not rotated. RFC 9449 section 5: the portal's own authentication is what binds them.
    rotateRefreshToken: false,
    expiresWithSession: () => true,
    renderError: pages.error,
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true, allowReplay: false },
      fapi: { enabled: true, profile: '2.0' },
      pushedAuthorizationRequests: { enabled: true, allowUnregisteredRedirectUris: false },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: true, logoutSource: pages.logout, postLogoutSuccessSource: pages.loggedOut },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf ?? ports.publicUrl,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource, client) => {
          if (!isOrigin(resource, ports.publicUrl)) throw new errors.InvalidTarget()
          return {
            scope: client.clientId === ports.portalClient.clientId ? personScope : '',
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

/** A sign-in at the portal is its grant: made once a session, gone with it. */
async function grantOfSession(ctx: KoaContextWithOIDC, publicUrl: string) {
  const { client, session, provider } = ctx.oidc
  if (!client || !session?.accountId) return undefined
  const grantId = session.grantIdFor(client.clientId)
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  // Revoking a refresh token takes its grant with it, but the person is still signed in.
  if (known) return known
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope(personScope)
  grant.addResourceScope(publicUrl, personScope)
  await grant.save()
  return grant
}

/** Only the portal gets tokens for people; a machine's standing was looked up when it became a client, a moment ago. */
function callerKind(token: AccessToken | ClientCredentials): CallerKind {
  if (token.kind === 'AccessToken') return 'customer'
  return token.client?.caller_kind === 'device' ? 'device' : 'organisation'
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

function portalMetadata({ clientId, redirectUris, postLogoutRedirectUris = [], jwks }: PortalClient): ClientMetadata {
  return {
    client_id: clientId,
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: personScope,
    token_endpoint_auth_method: 'private_key_jwt',
    require_pushed_authorization_requests: true,
    dpop_bound_access_tokens: true,
    jwks,
  }
}
