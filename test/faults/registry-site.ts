import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FetchCity } from '@tillit/client'
import { connect, type Database, type ServiceSchema, type TestDatabase, testDatabase } from '@tillit/database'
import { mlDsa44SignerFromSeed, signerFromSeed } from '@tillit/keys'
import { type Anvil, anvilAccount, openEvmLedger, startAnvil } from '@tillit/ledger'
import { formatVerifierKey, type TrustPolicy, type VerifierKey, verifierKey } from '@tillit/log'
import type { LedgerStatus, Opening } from '@tillit/schemas'
import { createWitness, openWitnessState, type Witness, type WitnessPeer } from '@tillit/witness'
import { sql } from 'kysely'
import { expect, vi } from 'vitest'
import { nodeInFront } from '../../packages/ledger/src/ledger.fixture.ts'
import type { RegistryTables } from '../../services/registry/src/index.ts'
import { recordingLogger, testRegistry } from '../../services/registry/src/registry.fixture.ts'
import { logOrigin } from '../../services/registry/src/witness.fixture.ts'
import { type BreakingFiles, createBreakingFiles } from './breaking-files.ts'
import { createLogObserver, type LogObserver } from './log-observer.ts'
import { openPostgresBetween, type PostgresBetween } from './postgres-between.ts'

/** The registry's clock: so fast that the second between two checkpoints is over at once. */
const clockSpeed = 20

export type RunningRegistry = Awaited<ReturnType<typeof testRegistry>>

/**
 * All that a registry stands on, each of it able to fail: a database, a witness with its disk, and a ledger. Registries are
 * started on it one after the other or at once.
 */
export interface RegistrySite {
  readonly between: PostgresBetween
  readonly files: BreakingFiles
  readonly anvil: Anvil
  /** What the node in front of the ledger makes of the next calls. */
  ledgerNode: (method: string) => 'pass' | 'refuse' | 'lose answer'
  /** What stands between the registry and its witness; given the real one. */
  witnessPeer: (witness: WitnessPeer) => WitnessPeer
  readonly witness: Witness
  readonly observer: LogObserver
  /** Straight to the database, for those who look at it from outside. */
  readonly database: TestDatabase
  /** A registry like its operator's, started. */
  start(): Promise<RunningRegistry>
  /** Ends a registry as a crash does: whatever it still tries to write does not arrive. */
  crash(registry: RunningRegistry): Promise<void>
  /** Ends it in an orderly way. */
  stop(registry: RunningRegistry): Promise<void>
  /** The witness's process ends and another one takes up its folder. */
  restartWitness(): Promise<void>
  /** Until the log has taken, published and anchored everything and knows of no fault. */
  settled(registry: RunningRegistry): Promise<LedgerStatus>
  /** Everything that an outsider can check. */
  check(
    registry: RunningRegistry,
    handedIn: { acknowledged: ReadonlySet<string>; openings: readonly Opening[] },
  ): ReturnType<LogObserver['check']>
  close(): Promise<void>
}

export async function openRegistrySite(): Promise<RegistrySite> {
  const database = await testDatabase()
  const between = await openPostgresBetween(database.url)
  const folder = mkdtempSync(join(tmpdir(), 'tillit-registry-site-'))
  const anvil = await startAnvil({ dataDir: join(folder, 'ledger') })
  const logSigner = await signerFromSeed(new Uint8Array(32).fill(1))
  const logKey = verifierKey(logOrigin, logSigner.publicKey)
  const files = createBreakingFiles()
  const witnessing = await openTheWitness({ folder: join(folder, 'witness'), logKey, files })
  const policy = policyOf(witnessing.witness, logKey)
  const node = await nodeInFront(anvil.rpcUrl, ({ method }) => {
    const fate = site.ledgerNode(method)
    return fate === 'refuse' ? { status: 503, text: 'not now' } : fate
  })
  const began = Date.now()
  const now = () => new Date(began + (Date.now() - began) * clockSpeed)
  const observed = createLogObserver({ policy, vkey: formatVerifierKey(logKey) })
  const ways: Database<unknown>[] = []

  const site: RegistrySite = {
    between,
    files,
    anvil,
    ledgerNode: () => 'pass',
    witnessPeer: (witness) => witness,
    get witness() {
      return witnessing.witness
    },
    observer: observed,
    database,
    async start() {
      const peer: WitnessPeer = {
        addCheckpoint: (body, signal) => {
          observed.seeSigned(body.slice(body.indexOf('\n\n') + 2))
          return site.witnessPeer(witnessing.witness).addCheckpoint(body, signal)
        },
      }
      const registry = await testRegistry(throughBetween(), {
        now,
        logSigners: [logSigner],
        witnessing: {
          policy,
          peers: new Map(policy.witnesses.map(({ name }) => [name, peer])),
          own: new Set<string>(),
        },
        ledger: () => openEvmLedger({ rpcUrl: node.url, account: anvilAccount(), timeoutMs: 500 }),
        publicRpcUrl: anvil.rpcUrl,
        anchorIntervalSeconds: 3600,
        logger: recordingLogger().logger,
      })
      registry.registry.start()
      return registry
    },
    async crash(registry) {
      between.breakAll()
      await site.stop(registry)
      between.restore()
    },
    async stop({ registry, app }) {
      await registry.stop()
      await app.close()
    },
    restartWitness: witnessing.restart,
    settled: (registry) => settled(registry, database.connect<RegistryTables>('registry')),
    check: async (registry, handedIn) =>
      observed.check({ fetchCity: fetchThrough(registry), ...handedIn, rpcUrl: anvil.rpcUrl }),
    async close() {
      await Promise.all(ways.map((way) => way.destroy()))
      await between.close()
      node.close()
      await witnessing.stop()
      await anvil.stop()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return site

  function throughBetween(): TestDatabase {
    return {
      url: between.url,
      connect<Tables>(schema: ServiceSchema) {
        const way = connect<Tables>({ url: between.url, schema, onError: () => undefined })
        ways.push(way as Database<unknown>)
        return way
      },
      drop: async () => undefined,
    }
  }
}

/** A witness with two keys, whose memory outlives it. */
async function openTheWitness({ folder, logKey, files }: { folder: string; logKey: VerifierKey; files: BreakingFiles }) {
  const seed = new Uint8Array(32).fill(5)
  const signers = [await signerFromSeed(seed), await mlDsa44SignerFromSeed(seed)]
  const open = async () => {
    const state = await openWitnessState(folder, files)
    return {
      witness: createWitness({ name: 'witness.example', signers, logs: [logKey], state, now: () => new Date() }),
      state,
    }
  }
  let running = await open()
  return {
    get witness() {
      return running.witness
    },
    async restart() {
      await running.state.close()
      files.restore()
      running = await open()
    },
    stop: () => running.state.close(),
  }
}

function policyOf({ keys }: Witness, logKey: VerifierKey): TrustPolicy {
  const witnesses = keys.map((key) => ({ name: `witness-${key.type}`, key, url: null }))
  const members = witnesses.map(({ name }) => name)
  return {
    logs: [{ key: logKey, url: null }],
    witnesses,
    groups: [{ name: 'both', threshold: members.length, members }],
    quorum: 'both',
  }
}

function fetchThrough({ app }: RunningRegistry): FetchCity {
  return async (path) => {
    const { statusCode, rawPayload } = await app.inject({ method: 'GET', url: path })
    return { status: statusCode, body: new Uint8Array(rawPayload) }
  }
}

function settled({ registry }: RunningRegistry, database: Database<RegistryTables>): Promise<LedgerStatus> {
  return vi.waitFor(
    async () => {
      const { rows } = await sql<{ leaves: number; waiting: number; duties: number }>`
        SELECT (SELECT count(*) FROM registry.leaves) AS leaves, (SELECT count(*) FROM registry.outbox) AS waiting,
          (SELECT count(*) FROM registry.did_witness_duties) AS duties`.execute(database)
      await registry.anchorNow()
      const status = await registry.status()
      expect(status).toMatchObject({ sequencing_fault: null, publishing_fault: null, fault: null, unanchored: null })
      expect(rows[0]).toEqual({ leaves: status.latest_checkpoint?.size, waiting: 0, duties: 0 })
      return status
    },
    { timeout: 20_000, interval: 20 },
  )
}
