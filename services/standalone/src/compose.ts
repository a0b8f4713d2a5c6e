import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connectCity } from '@tillit/client'
import { encodeId, idBytes } from '@tillit/codec'
import {
  connect,
  type Database,
  listen,
  outboxChannel,
  problemOfDatabaseError,
  type ServiceSchema,
} from '@tillit/database'
import { createForeignFetch, createLogger, createServer, type TillitServer } from '@tillit/http'
import { signerFromJwk, toPublicJwk } from '@tillit/keys'
import { formatVerifierKey, verifierKey } from '@tillit/log'
import { Problem } from '@tillit/problem'
import { type AuthorizationTables, createAuthorization, type Persona } from '@tillit/service-authorization'
import { type CredentialsTables, createCredentials } from '@tillit/service-credentials'
import { createMetering, type MeteringTables } from '@tillit/service-metering'
import { createPermissions, type PermissionsTables } from '@tillit/service-permissions'
import { buildPortal, createPortal, type PortalTables, portalRedirects } from '@tillit/service-portal'
import { createRegistry, type RegistryTables } from '@tillit/service-registry'
import { sql } from 'kysely'
import { authorityRoutes } from './authority-routes.ts'
import { lockCity } from './city-lock.ts'
import type { Config } from './config.ts'
import { type Identity, openIdentity } from './identities.ts'
import { type KeyStore, openKeyStore } from './key-store.ts'
import { personas } from './personas.ts'
import { startDatabase } from './start-database.ts'
import { startLedger } from './start-ledger.ts'
import { Teardown } from './teardown.ts'

/** A running city. */
export interface City {
  url: string
  didHost: string
  keys: KeyStore
  /** Root of trust, permission administrator, and the utilities whose keys this city keeps. */
  registrar: Identity
  authority: Identity
  utility: Identity
  personas: readonly Persona[]
  /** Ends everything that was started, in reverse order. Safe to call twice. */
  stop(): Promise<void>
}

export interface ComposeOptions {
  /** Told what is being started and what died and came back, in words for the operator. */
  onEvent: (event: string) => void
  now?: () => Date
}

/** Puts the city together: the only place where things are constructed. Throws Problem with words for the operator. */
export async function startCity(config: Config, { onEvent, now = () => new Date() }: ComposeOptions): Promise<City> {
  const teardown = new Teardown()
  try {
    return await compose(config, { onEvent, now, teardown })
  } catch (error) {
    await teardown.run()
    throw error
  }
}

async function compose(
  config: Config,
  { onEvent, now, teardown }: { onEvent: (event: string) => void; now: () => Date; teardown: Teardown },
): Promise<City> {
  await mkdir(config.dataDir, { recursive: true })
  const lock = await lockCity(config.dataDir)
  teardown.add(() => lock.release())
  const keys = openKeyStore(join(config.dataDir, 'keys'))
  const logger = createLogger(config.logLevel)
  onEvent('starting PostgreSQL and the ledger')
  const [database, ledger, portalPage] = await startFoundations(config, { keys, onEvent, teardown })
  const pool = <Tables>(schema: ServiceSchema, maxConnections?: number): Database<Tables> => {
    const db = connect<Tables>({
      url: database.url,
      schema,
      ...(maxConnections === undefined ? {} : { maxConnections }),
      onError: (error) => logger.warn({ err: error }, 'a database connection was lost'),
    })
    teardown.add(() => db.destroy())
    return db
  }
  const random = (length: number) => new Uint8Array(randomBytes(length))
  const { publicUrl } = config
  const registrar = await openIdentity(keys, 'registrar', { host: config.didHost, slug: 'registrar', now: now() })
  const authority = await openIdentity(keys, 'authority', { host: config.didHost, slug: 'tillit', now: now() })
  const logSigner = await signerFromJwk(await keys.privateJwk('log'))
  const logOrigin = await keys.secret('log-origin', () => `${config.didHost}/log`)

  const registryDatabase = pool<RegistryTables>('registry')
  const registry = createRegistry({
    database: registryDatabase,
    now,
    randomBytes: random,
    didHost: config.didHost,
    fetchText: createForeignFetch(config.didForeignHosts),
    logOrigin,
    logSigner,
    ledger: ledger.open,
    publicRpcUrl: ledger.publicRpcUrl,
    anchorIntervalSeconds: config.anchorIntervalSeconds,
    listenOutbox: (onNotify) => listen(database.url, outboxChannel, onNotify),
    logger,
  })
  const { resolveDid } = registry
  const utility = await openIdentity(keys, 'utility', { host: config.didHost, slug: 'utility', now: now() })
  const credentials = createCredentials({
    db: pool<CredentialsTables>('credentials'),
    now,
    randomBytes: random,
    resolveDid,
    issuers: async (did) => [registrar, authority, utility].find((identity) => identity.did === did) ?? null,
    publicUrl,
    authorityDid: authority.did,
    onError: (error) => logger.error({ err: error }, 'a task of the credentials service failed'),
  })
  const { issueCredential } = credentials
  const portalKey = await keys.privateJwk('portal')
  const portalSigner = await signerFromJwk(portalKey)
  const cityPersonas = config.demonstration ? await personas(keys, random) : []
  const authorization = createAuthorization({
    db: pool<AuthorizationTables>('authorization'),
    publicUrl,
    environment: config.environment,
    personas: cityPersonas,
    tokenSigningJwks: { keys: [await keys.privateJwk('tokens')] },
    portalClient: {
      clientId: 'portal',
      ...portalRedirects(publicUrl),
      jwks: { keys: [{ ...toPublicJwk(portalSigner.publicKey), kid: 'portal' }] },
    },
    cookieKeys: [await keys.secret('cookies', () => randomBytes(32).toString('base64url'))],
    resolveDid,
    now,
    logger,
  })
  const permissions = createPermissions({
    db: pool<PermissionsTables>('permissions'),
    now,
    randomBytes: random,
    resolveDid,
    issueCredential,
    authorityDid: authority.did,
    publicUrl,
    logger,
  })
  const metering = createMetering({
    db: pool<MeteringTables>('metering', 24),
    now,
    randomBytes: random,
    resolveDid,
    issueCredential,
  })
  const portal = createPortal({
    database: pool<PortalTables>('portal', 4),
    publicUrl,
    internalUrl: publicUrl,
    clientId: 'portal',
    clientSigner: portalSigner,
    keyId: 'portal',
    pageFolder: portalPage.folder,
    now,
    randomBytes: random,
    logger,
  })

  let open = false
  const app = await createServer({
    logger,
    publicUrl,
    authentication: { issuer: `${publicUrl}/oauth`, audience: publicUrl, jwks: authorization.jwks, now },
    problemOf: problemOfDatabaseError,
    newRequestId: () => encodeId('req', random(idBytes)),
    readiness: [
      { name: 'city', check: async () => (open ? null : 'starting') },
      { name: 'database', check: () => sql`SELECT 1`.execute(registryDatabase).then(() => null) },
    ],
  })
  const services = [registry, credentials, authorization, permissions, metering, portal]
  for (const service of services) await app.register(service.routes)
  await app.register(
    authorityRoutes({
      did: authority.did,
      registrar: registrar.did,
      environment: config.environment,
      log: { origin: logOrigin, vkey: formatVerifierKey(verifierKey(logOrigin, logSigner.publicKey)) },
    }),
  )
  await openDoors(app, config)
  teardown.add(() => app.close())
  for (const service of services) {
    await service.start()
    teardown.add(async () => service.stop())
  }
  await register(publicUrl, [registrar, authority])
  await credentials.bootstrapRoot({
    did: registrar.did,
    legalName: 'Nordhavn kommune',
    registrationNumber: 'NO 900 000 001',
    country: 'NO',
  })
  open = true
  return {
    url: publicUrl,
    didHost: config.didHost,
    keys,
    registrar,
    authority,
    utility,
    personas: cityPersonas,
    stop: () => teardown.run(),
  }
}

async function startFoundations(
  config: Config,
  { keys, onEvent, teardown }: { keys: KeyStore; onEvent: (event: string) => void; teardown: Teardown },
) {
  const database = startDatabase(config, keys, onEvent)
  teardown.add(() => stopIfStarted(database))
  const ledger = startLedger(config, onEvent)
  teardown.add(() => stopIfStarted(ledger))
  const page = buildPortal()
  // All are waited for, so that whatever did start is known to the teardown when one of them fails.
  const started = await Promise.allSettled([database, ledger, page])
  for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason
  return Promise.all([database, ledger, page])
}

async function openDoors(app: TillitServer, config: Config): Promise<void> {
  try {
    await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new Problem('invalid-configuration', {
        detail: `Port ${config.port} of ${config.host} is taken by another program; give PORT another value`,
        cause: error,
      })
    }
    throw error
  }
}

/** The registry accepts the same genesis entry again and again, so this needs no memory of its own. */
async function register(publicUrl: string, identities: Identity[]): Promise<void> {
  const city = connectCity({ url: publicUrl })
  for (const { genesis } of identities) await city.post('/dids', { entry: genesis, listed: true })
}

/** One that did not start has nothing to stop; why it did not is reported by whoever waited for it. */
async function stopIfStarted(started: Promise<{ stop(): Promise<void> }>): Promise<void> {
  const running = await started.catch(() => null)
  await running?.stop()
}
