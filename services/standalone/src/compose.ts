import { mkdir } from 'node:fs/promises'
import { createLogger, type TillitServer } from '@tillit/http'
import type { KeyStore } from '@tillit/key-store'
import type { MlDsa44Signer, Signer } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { Persona } from '@tillit/service-authorization'
import { buildPortal } from '@tillit/service-portal'
import { lockCity } from './city-lock.ts'
import type { Config } from './config.ts'
import { constructCity, internalUrlOf } from './construct.ts'
import type { Identity } from './identities.ts'
import { matchKeys } from './match-keys.ts'
import { openKeys } from './open-keys.ts'
import { openWitnessing } from './open-witnessing.ts'
import { registerIdentity, updateIfRegistered } from './register-identity.ts'
import { startDatabase } from './start-database.ts'
import { startLedger } from './start-ledger.ts'
import { Teardown } from './teardown.ts'

/** A running city. */
export interface City {
  url: string
  didHost: string
  /** An administrator's way to the database. */
  databaseUrl: string
  keys: KeyStore
  /** Root of trust, permission administrator, and the utilities whose keys this city keeps. */
  registrar: Identity
  authority: Identity
  utility: Identity
  personas: readonly Persona[]
  /** No witness but the operator's own has to cosign the log. */
  selfWitnessed: boolean
  /** Ends everything that was started, in reverse order. Safe to call twice. */
  stop(): Promise<void>
}

export interface ComposeOptions {
  /** Told what is being started and what died and came back, in words for the operator. */
  onEvent: (event: string) => void
  now?: () => Date
  /** Gives the start up between two of its steps. */
  signal?: AbortSignal
}

/**
 * Starts what the city stands on, then the city. Throws Problem with words for the operator, and the signal's reason when
 * it was given up; nothing is left running then.
 */
export async function startCity(
  config: Config,
  { onEvent, now = () => new Date(), signal = new AbortController().signal }: ComposeOptions,
): Promise<City> {
  const teardown = new Teardown()
  try {
    return await compose(config, { onEvent, now, signal, teardown })
  } catch (error) {
    await teardown.run()
    throw error
  }
}

async function compose(
  config: Config,
  { onEvent, now, signal, teardown }: Required<ComposeOptions> & { teardown: Teardown },
): Promise<City> {
  await mkdir(config.dataDir, { recursive: true })
  const lock = await lockCity(config.dataDir)
  teardown.add(() => lock.release())
  const keys = await openKeys(config, { now })
  teardown.add(() => keys.close())
  const logger = createLogger(config.logLevel)
  onEvent('starting PostgreSQL and the ledger')
  const [database, ledger, portalPage] = await startFoundations(config, { keys, onEvent, teardown })
  signal.throwIfAborted()
  await matchKeys(database, keys)
  const { app, services, credentials, registrar, authority, utility, ...constructed } = await constructCity({
    config,
    keys,
    databaseUrlOf: database.urlOf,
    ledger,
    openWitnessing: async (log) =>
      openWitnessing(config, { log, witnessSigners: await witnessSigners(keys), now, logger, teardown }),
    pageFolder: portalPage.folder,
    logger,
    now,
    teardown,
  })
  for (const service of services) {
    await service.start()
    teardown.add(() => service.stop())
    signal.throwIfAborted()
  }
  await openDoors(app, config)
  teardown.add(() => app.close())
  for (const identity of [registrar, authority])
    await registerIdentity(internalUrlOf(config), identity, { listed: true })
  await updateIfRegistered(internalUrlOf(config), utility)
  await credentials.bootstrapRoot({ did: registrar.did, ...config.registrar })
  constructed.markOpen()
  return {
    url: config.publicUrl,
    didHost: config.didHost,
    databaseUrl: database.url,
    keys,
    registrar,
    authority,
    utility,
    personas: constructed.personas,
    selfWitnessed: constructed.selfWitnessed,
    stop: () => teardown.run(),
  }
}

/** One algorithm for today, and one that outlives it. */
async function witnessSigners(keys: KeyStore): Promise<(Signer | MlDsa44Signer)[]> {
  return [await keys.signer('witness'), await keys.mlDsa44Signer('witness-ml-dsa')]
}

async function startFoundations(
  config: Config,
  { keys, onEvent, teardown }: { keys: KeyStore; onEvent: (event: string) => void; teardown: Teardown },
) {
  const database = startDatabase(config, keys, onEvent)
  teardown.add(() => stopIfStarted(database))
  const ledger = startLedger(config, keys, onEvent)
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

/** One that did not start has nothing to stop; why it did not is reported by whoever waited for it. */
async function stopIfStarted(started: Promise<{ stop(): Promise<void> }>): Promise<void> {
  const running = await started.catch(() => null)
  await running?.stop()
}
