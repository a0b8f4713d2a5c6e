import type { EventEmitter } from 'node:events'
import { type Database, problemOfDatabaseError } from '@tillit/database'
import type { TillitServer } from '@tillit/http'
import { type PrivateJwk, parsePublicJwk, thumbprint, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { CredentialType, DidResolutionResult, PublicJwk } from '@tillit/schemas'
import type { FastifyBaseLogger } from 'fastify'
import { Provider } from 'oidc-provider'
import { admitAnonymousWallets } from './admit-anonymous-wallets.ts'
import { agreementPageOf } from './agree-to-credential.ts'
import { configureProvider } from './configure-provider.ts'
import { checkPersonas, type Persona } from './development-eid.ts'
import { createFindClient } from './find-client.ts'
import { interactionRoutes } from './interaction-page.ts'
import { mountProvider } from './mount-provider.ts'
import { offersOfGrants } from './offer-of-grant.ts'
import { createOfferStore } from './offer-store.ts'
import type { PortalClient } from './portal-client.ts'
import { startPurge } from './purge-expired.ts'
import { registerPreAuthorizedCode } from './redeem-pre-authorized-code.ts'
import { signInPage } from './sign-in.ts'
import { hashId } from './storage-adapter.ts'
import { type AuthorizationTables, createStore } from './store.ts'
import type { CredentialIdentifiers } from './token-details.ts'
import { anonymousWalletId } from './wallet-clients.ts'
import { parseWallets } from './wallets.ts'

const minCookieKeyCharacters = 32
const retryAfterSeconds = 2

export interface AuthorizationPorts {
  db: Database<AuthorizationTables>
  /** An origin, without a path. The issuer is this and `/oauth`; tokens have it as audience. */
  publicUrl: string
  /** The development eID works in `development` only. */
  environment: string
  /** The development eID's personas; an empty list switches it off. */
  personas: readonly Persona[]
  /** Ed25519, private; the first signs, all verify. */
  tokenSigningJwks: { keys: (PrivateJwk & { kid?: string })[] }
  portalClient: PortalClient
  /** Wallets that may ask for credentials in a browser, as configured; see `parseWallets`. None: offers only. */
  wallets: unknown
  /** What the credential issuer of this city issues. */
  credentialConfigurations: readonly { readonly id: string; readonly type: CredentialType }[]
  credentialIdentifiers: CredentialIdentifiers
  /** Secrets of 32 characters or more; the first signs, all verify. */
  cookieKeys: string[]
  resolveDid(did: string, options?: { readonly fresh?: boolean }): Promise<DidResolutionResult>
  now(): Date
  logger: Pick<FastifyBaseLogger, 'warn' | 'error'>
}

export interface TokenKey extends Record<string, unknown> {
  kid: string
}

export interface Authorization {
  /** Fastify plugin: /oauth/*, and /.well-known/oauth-authorization-server/oauth. */
  routes(app: TillitServer): Promise<void>
  /** Public keys that verify access tokens; the same as at /oauth/jwks. */
  jwks(): { keys: TokenKey[] }
  /** Starts the purge of what has expired. */
  start(): void
  stop(): Promise<void>
}

/**
 * The OAuth 2.1 / OpenID server of the city (FAPI 2.0 profile: PAR, PKCE, DPoP, private_key_jwt). Machines are DIDs and use
 * client_credentials; people sign in through the portal; wallets receive credentials (OpenID4VCI). Throws Problem
 * invalid-configuration, weak-key or invalid-key.
 */
export function createAuthorization(ports: AuthorizationPorts): Authorization {
  const { publicUrl, personas, portalClient } = ports
  checkPersonas(personas, ports.environment)
  checkPublicUrl(publicUrl)
  checkCookieKeys(ports.cookieKeys)
  for (const key of portalClient.jwks.keys) parsePublicJwk(coordinates(key))

  const store = createStore(ports.db)
  const offers = createOfferStore(ports.db)
  const offerOfGrant = offersOfGrants(store)
  const wallets = parseWallets(ports.wallets)
  if (wallets.some(({ client_id }) => client_id === portalClient.clientId || client_id === anonymousWalletId))
    throw misconfigured('wallets', 'A wallet cannot have the client id of the portal or of the anonymous wallet')
  const configurations = new Map(ports.credentialConfigurations.map(({ id, type }) => [id, type]))
  const signingKeys = ports.tokenSigningJwks.keys.map((key) => ({ ...key, kid: key.kid ?? kidOf(key) }))
  if (signingKeys.length === 0) throw misconfigured('tokenSigningJwks', 'There is no key to sign tokens with')
  const publicKeys = signingKeys.map(publicTokenKey)
  const portalUris = [...portalClient.redirectUris, ...(portalClient.postLogoutRedirectUris ?? [])]
  const formTargets = [...new Set(portalUris.map((uri) => new URL(uri).origin))]
  const log = (message: string, err: unknown) => ports.logger.warn({ err }, message)

  const provider = new Provider(
    `${publicUrl}/oauth`,
    configureProvider({
      publicUrl,
      ...{ store, offers, offerOfGrant, wallets, configurations },
      signingKeys,
      portalClient,
      formTargets,
      credentialIdentifiers: ports.credentialIdentifiers,
      cookieKeys: ports.cookieKeys,
      findClient: createFindClient({ store, resolveDid: ports.resolveDid, now: ports.now, log }),
    }),
  )
  refuseReplays(provider, store.claimOnce)
  admitAnonymousWallets(provider)
  registerPreAuthorizedCode(provider, { publicUrl, store, offers, offerOfGrant })
  provider.on('server_error', (ctx, err) => {
    ports.logger.error({ err }, 'the authorization server failed')
    if ((problemOfDatabaseError(err)?.status ?? 0) < 500) return
    // Not our fault but for a while: machines may try again, with the word that RFC 6749 section 4.1.2.1 has for it.
    ctx.status = 503
    ctx.set('retry-after', String(retryAfterSeconds))
    if (!ctx.response.is('html'))
      ctx.body = { error: 'temporarily_unavailable', error_description: 'Try again shortly' }
  })
  const koa: EventEmitter = provider
  koa.on('error', (err) => ports.logger.error({ err }, 'the authorization server failed'))

  const pages = interactionRoutes({ provider, formTargets }, [
    signInPage({ store, personas }),
    agreementPageOf({ provider, publicUrl, wallets, configurations, offers, offerOfGrant }),
  ])
  const mount = mountProvider(provider)
  let purge: { stop(): Promise<void> } | undefined
  return {
    async routes(app) {
      await app.register(pages)
      await app.register(mount)
    },
    jwks: () => ({ keys: publicKeys }),
    start() {
      purge ??= startPurge(store, (err) => log('expired sign-ins were not purged', err))
    },
    async stop() {
      await purge?.stop()
      purge = undefined
    },
  }
}

/**
 * The provider looks whether an assertion or proof was seen and then notes it, so two at once would both pass. One statement
 * decides instead. The clock is the system's, because the provider's is.
 */
function refuseReplays(provider: Provider, claimOnce: ReturnType<typeof createStore>['claimOnce']): void {
  provider.ReplayDetection.unique = (clientId, jti, expiresAtSeconds) => {
    const lifetimeSeconds = Math.max(1, Math.ceil(expiresAtSeconds - Date.now() / 1000))
    return claimOnce('ReplayDetection', hashId(JSON.stringify([clientId, jti])), lifetimeSeconds)
  }
}

function checkPublicUrl(publicUrl: string): void {
  if (URL.parse(publicUrl)?.origin !== publicUrl) {
    throw misconfigured('publicUrl', 'The public URL must be an origin: scheme, host and port, nothing after')
  }
}

function checkCookieKeys(cookieKeys: string[]): void {
  if (cookieKeys.length === 0 || cookieKeys.some((key) => key.length < minCookieKeyCharacters)) {
    throw misconfigured('cookieKeys', `Cookies are signed with secrets of ${minCookieKeyCharacters} characters or more`)
  }
}

function kidOf(key: PrivateJwk): string {
  return thumbprint(parsePublicJwk(coordinates(key)))
}

function publicTokenKey(key: PrivateJwk & { kid: string }): TokenKey {
  const publicKey = parsePublicJwk(coordinates(key))
  if (publicKey.alg !== 'EdDSA') throw misconfigured('tokenSigningJwks', 'Tokens are signed with Ed25519 keys')
  return { ...toPublicJwk(publicKey), kid: key.kid, alg: 'EdDSA', use: 'sig' }
}

/** The public members only, so that a private key is read as its public half on purpose and nothing else slips in. */
function coordinates(key: PublicJwk | PrivateJwk): Record<string, unknown> {
  const { kty, crv, x } = key
  return { kty, crv, x, ...('y' in key && key.y !== undefined ? { y: key.y } : {}) }
}

function misconfigured(pointer: string, detail: string): Problem {
  return new Problem('invalid-configuration', { detail, pointer })
}
