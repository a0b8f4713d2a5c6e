import type { EventEmitter } from 'node:events'
import { type Database, problemOfDatabaseError } from '@tillit/database'
import type { TillitServer } from '@tillit/http'
import { type PrivateJwk, parsePublicJwk, thumbprint, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { DidResolutionResult, PublicJwk } from '@tillit/schemas'
import type { FastifyBaseLogger } from 'fastify'
import { Provider } from 'oidc-provider'
import { configureProvider, type PortalClient } from './configure-provider.ts'
import { checkPersonas, type Persona } from './development-eid.ts'
import { createFindClient } from './find-client.ts'
import { mountProvider } from './mount-provider.ts'
import { startPurge } from './purge-expired.ts'
import { signInRoutes } from './sign-in.ts'
import { hashId } from './storage-adapter.ts'
import { type AuthorizationTables, createStore } from './store.ts'

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
 * client_credentials; people sign in through the portal. Throws Problem invalid-configuration, weak-key or invalid-key.
 */
export function createAuthorization(ports: AuthorizationPorts): Authorization {
  const { publicUrl, personas, portalClient } = ports
  checkPersonas(personas, ports.environment)
  checkPublicUrl(publicUrl)
  checkCookieKeys(ports.cookieKeys)
  for (const key of portalClient.jwks.keys) parsePublicJwk(coordinates(key))

  const store = createStore(ports.db)
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
      store,
      signingKeys,
      portalClient,
      formTargets,
      cookieKeys: ports.cookieKeys,
      findClient: createFindClient({ store, resolveDid: ports.resolveDid, now: ports.now, log }),
    }),
  )
  refuseReplays(provider, store.claimOnce)
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

  const signIn = signInRoutes({ provider, store, personas, formTargets })
  const mount = mountProvider(provider)
  let purge: { stop(): Promise<void> } | undefined
  return {
    async routes(app) {
      await app.register(signIn)
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
