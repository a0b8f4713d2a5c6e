import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FetchCity } from '@tillit/client'
import { connect, type Database, type ServiceSchema, type TestDatabase, testDatabase } from '@tillit/database'
import { signerFromSeed } from '@tillit/keys'
import { type Anvil, anvilAccount, openEvmLedger, startAnvil } from '@tillit/ledger'
import { formatVerifierKey, verifierKey } from '@tillit/log'
import type { LedgerStatus } from '@tillit/schemas'
import type { WitnessPeer } from '@tillit/witness'
import { sql } from 'kysely'
import { expect } from 'vitest'
import type { RegistryTables } from '../../services/registry/src/index.ts'
import { recordingLogger, testRegistry } from '../../services/registry/src/registry.fixture.ts'
import { logOrigin } from '../../services/registry/src/witness.fixture.ts'
import { type BreakingFiles, createBreakingFiles } from './breaking-files.ts'
import type { Clients } from './clients-of-registry.ts'
import { type LedgerBetween, openLedgerBetween } from './ledger-between.ts'
import { createLogObserver, type LogObserver } from './log-observer.ts'
import { openPostgresBetween, type PostgresBetween } from './postgres-between.ts'
import { openTheWitness, policyOf, type TheWitness } from './the-witness.ts'

/** The registry's clock: so fast that the second between two checkpoints is over at once. */
const clockSpeed = 20

const settledWithinMilliseconds = 30_000

/** A registry like its operator's, with a way of its own to the database. */
export interface RunningRegistry extends Awaited<ReturnType<typeof testRegistry>> {
  readonly between: PostgresBetween
  readonly lines: { level: string; message: string }[]
  /** Ends it as a crash does: whatever it still tries to write does not arrive. */
  crash(): Promise<void>
  /** Ends it in an orderly way. */
  stop(): Promise<void>
}

/**
 * All that a registry stands on, each of it able to fail: a database, a witness with its disk, and a ledger. Registries are
 * started on it one after the other, or at once.
 */
export interface RegistrySite {
  readonly database: TestDatabase
  /** The registry's own tables, for those who look at them from outside. */
  readonly tables: Database<RegistryTables>
  readonly witness: TheWitness
  /** The disk of the witness. */
  readonly files: BreakingFiles
  readonly anvil: Anvil
  /** The node through which the registries reach the ledger. */
  readonly ledger: LedgerBetween
  /** What stands between the registries and the witness. */
  witnessPeer: WitnessPeer
  readonly observer: LogObserver
  /** Every write of every registry. */
  readonly writes: PostgresBetween['writes'][number][]
  start(): Promise<RunningRegistry>
  /** How many entries wait for the log or for the registry's own approval. */
  countWaiting(): Promise<number>
  /** Until the log has taken, published and anchored everything and no fault is told. */
  settled(registry: RunningRegistry): Promise<LedgerStatus>
  /** Everything that an outsider can check. */
  check(registry: RunningRegistry, clients: Clients): ReturnType<LogObserver['check']>
  close(): Promise<void>
}

/** `witnessFolder`: where the witness keeps its memory, if it is to be somewhere else than on the site. */
export async function openRegistrySite(options: { witnessFolder?: string } = {}): Promise<RegistrySite> {
  const database = await testDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'tillit-registry-site-'))
  const anvil = await startAnvil({ dataDir: join(folder, 'ledger') })
  const logSigner = await signerFromSeed(new Uint8Array(32).fill(1))
  const logKey = verifierKey(logOrigin, logSigner.publicKey)
  const files = createBreakingFiles()
  const witness = await openTheWitness({ folder: options.witnessFolder ?? join(folder, 'witness'), logKey, files })
  const policy = policyOf(witness, logKey)
  const ledger = await openLedgerBetween(anvil.rpcUrl)
  const began = Date.now()
  const now = () => new Date(began + (Date.now() - began) * clockSpeed)
  const observer = createLogObserver({ policy, vkey: formatVerifierKey(logKey) })
  const tables = database.connect<RegistryTables>('registry')

  const site: RegistrySite = {
    ...{ database, tables, witness, files, anvil, ledger, observer },
    witnessPeer: witness,
    writes: [],
    async start() {
      const between = await openPostgresBetween(database.url)
      const way = wayThrough(between)
      const { lines, logger } = recordingLogger()
      const peer: WitnessPeer = {
        addCheckpoint: (body, signal) => {
          observer.seeSigned(body.slice(body.indexOf('\n\n') + 2))
          return site.witnessPeer.addCheckpoint(body, signal)
        },
      }
      const registry = await testRegistry(way, {
        now,
        logSigners: [logSigner],
        witnessing: { policy, peers: new Map(policy.witnesses.map(({ name }) => [name, peer])), own: new Set() },
        ledger: () => openEvmLedger({ rpcUrl: ledger.url, account: anvilAccount(), timeoutMs: 1000, patienceMs: 1000 }),
        publicRpcUrl: anvil.rpcUrl,
        anchorIntervalSeconds: 3600,
        logger,
      })
      registry.registry.start()
      const stop = async () => {
        await registry.registry.stop()
        await registry.app.close()
        await way.drop()
        await between.close()
        site.writes.push(...between.writes)
      }
      return {
        ...{ ...registry, between, lines, stop },
        async crash() {
          between.breakAll()
          await stop()
        },
      }
    },
    countWaiting: () => countWaiting(tables),
    settled: (registry) => settled(registry, tables),
    async check(registry, clients) {
      const handedIn = { acknowledged: clients.acknowledged, openings: clients.newOpenings() }
      return observer.check({ fetchCity: fetchThrough(registry), ...handedIn, rpcUrl: anvil.rpcUrl })
    },
    async close() {
      ledger.close()
      await witness.stop()
      await anvil.stop()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return site
}

function wayThrough({ url }: PostgresBetween): TestDatabase {
  const handles: Database<unknown>[] = []
  return {
    url,
    connect<Tables>(schema: ServiceSchema) {
      const handle = connect<Tables>({ url, schema, onError: () => undefined })
      handles.push(handle as Database<unknown>)
      return handle
    },
    drop: async () => void (await Promise.all(handles.map((handle) => handle.destroy()))),
  }
}

export function fetchThrough({ app }: Pick<RunningRegistry, 'app'>): FetchCity {
  return async (path) => {
    const { statusCode, rawPayload } = await app.inject({ method: 'GET', url: path })
    return { status: statusCode, body: new Uint8Array(rawPayload) }
  }
}

async function settled(
  { registry, between }: RunningRegistry,
  tables: Database<RegistryTables>,
): Promise<LedgerStatus> {
  for (const deadline = performance.now() + settledWithinMilliseconds; ; ) {
    try {
      const waiting = await countWaiting(tables)
      await registry.anchorNow()
      const status = await registry.status()
      expect(status).toMatchObject({ sequencing_fault: null, publishing_fault: null, fault: null, unanchored: null })
      expect(waiting).toBe(0)
      return status
    } catch (error) {
      // A registry that has crashed is not waited for.
      if (between.broken || performance.now() > deadline) throw error
    }
    await delay(20)
  }
}

/** What is in no published checkpoint yet, and what is not approved yet though it is. */
async function countWaiting(tables: Database<RegistryTables>): Promise<number> {
  const { rows } = await sql<{ waiting: number }>`
    SELECT (SELECT count(*) FROM registry.outbox) + (SELECT count(*) FROM registry.did_witness_duties)
      + (SELECT count(*) FROM registry.leaves)
      - (SELECT coalesce(max(size), 0) FROM registry.published_checkpoints) AS waiting`.execute(tables)
  return Number(rows[0]?.waiting)
}
