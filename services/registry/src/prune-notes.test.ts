import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex, toHex } from '@tillit/codec'
import { addToOutbox, type Database, type TestDatabase, testDatabase } from '@tillit/database'
import { signerFromSeed } from '@tillit/keys'
import { anvilAccount, openEvmLedger, startAnvil } from '@tillit/ledger'
import { verifyConsistency, verifyLeafProof } from '@tillit/log'
import type { LeafProof, LedgerStatus } from '@tillit/schemas'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { anchorLog } from './anchor-log.ts'
import { createAnchorStore } from './anchor-store.ts'
import type { RegistryTables } from './index.ts'
import { createLogStore } from './log-store.ts'
import { createPruner } from './prune-notes.ts'
import { createPublicationStore } from './publication-store.ts'
import { publishNewestCheckpoint } from './publish-checkpoint.ts'
import { createPublishedLog } from './published-log.ts'
import { testRegistry } from './registry.fixture.ts'
import { createRetentionStore } from './retention-store.ts'
import { sequenceOutboxes, signNewCheckpoint, verifyStoredLog } from './sequence-log.ts'
import { logOrigin, witnessedBy } from './witness.fixture.ts'
import { createWitnessing } from './witnessing.ts'

const logSigners = [await signerFromSeed(new Uint8Array(32).fill(1))]

let database: TestDatabase
let registry: Database<RegistryTables>
let clock = Date.parse('2026-01-01T00:00:00Z')
// Each look at the clock is two seconds later, so that every pass may sign.
const now = () => {
  clock += 2000
  return new Date(clock)
}
beforeEach(async () => {
  database = await testDatabase()
  registry = database.connect<RegistryTables>('registry')
})
afterEach(() => database.drop())

/** Adds one entry and signs a checkpoint over it. */
async function sign(): Promise<Uint8Array> {
  const commitment = new Uint8Array(randomBytes(32))
  await addToOutbox(registry, 'registry', { kind: 'did', commitment })
  await sequenceOutboxes(createLogStore(registry), { now })
  await signNewCheckpoint(createLogStore(registry), { now, logOrigin, logSigners })
  return commitment
}

async function publish(): Promise<void> {
  const policy = { ...witnessedBy([], { threshold: 0 }).policy, groups: [], quorum: 'none' }
  await publishNewestCheckpoint({
    log: createLogStore(registry),
    publications: createPublicationStore(registry),
    witnessing: createWitnessing({ logOrigin, logSigners, witnessing: { policy, peers: new Map(), own: new Set() } }),
    now,
    onAnswers: () => undefined,
    signal: new AbortController().signal,
  })
}

/** Grows the log by as many published checkpoints of one entry each; gives the commitments. */
async function grow(count: number): Promise<Uint8Array[]> {
  const commitments: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    commitments.push(await sign())
    await publish()
  }
  return commitments
}

const ofSize = async (size: number) => {
  const checkpoint = await createPublicationStore(registry).ofSize(size)
  if (checkpoint === null) throw new Error(`nothing is published of size ${size}`)
  return checkpoint
}

/** Says that the ledger holds the checkpoint of that size. */
async function anchor(size: number): Promise<void> {
  const { root } = await ofSize(size)
  const transaction = `0x${toHex(new Uint8Array(randomBytes(32)))}`
  const contract = `0x${'5f'.repeat(20)}`
  const record = { chainId: 1, contract, transaction, blockNumber: size, size, root, anchoredAt: now() }
  await createAnchorStore(registry).insert(record)
}

const sizesIn = async (table: 'registry.published_checkpoints' | 'registry.checkpoints') =>
  (await registry.selectFrom(table).select('size').orderBy('size').execute()).map(({ size }) => size)

async function pruned(options: { kept: number; batch?: number }, rounds = 20): Promise<void> {
  const prune = createPruner(createRetentionStore(registry), options)
  for (let i = 0; i < rounds; i++) await prune()
}

test('anchored notes stay, lost anchors too, the newest ones, and the oldest that waits for an anchor', async () => {
  await grow(12)
  for (const size of [2, 4, 5]) await anchor(size)
  await createAnchorStore(registry).markLost({ largerThan: 4 }, now())
  await pruned({ kept: 3, batch: 2 })
  expect(await sizesIn('registry.published_checkpoints')).toEqual([2, 4, 5, 10, 11, 12])
  expect(await sizesIn('registry.checkpoints')).toEqual([2, 4, 5, 10, 11, 12])
  await registry.updateTable('registry.anchors').set({ lost_at: null }).execute()
  await grow(2)
  await pruned({ kept: 3 })
  expect(await sizesIn('registry.published_checkpoints')).toEqual([2, 4, 5, 10, 12, 13, 14])
})

test('a log that grows and is anchored now and then keeps a bounded number of notes beside the anchored ones', async () => {
  const prune = createPruner(createRetentionStore(registry), { kept: 5 })
  for (let i = 1; i <= 40; i++) {
    await grow(1)
    if (i % 10 === 0) await anchor(i)
    await prune()
    const notes = (await sizesIn('registry.published_checkpoints')).length
    expect(notes).toBeLessThanOrEqual(5 + Math.floor(i / 10) + 1)
    expect((await sizesIn('registry.checkpoints')).length).toBe(notes)
  }
})

test('notes that were signed while no witness answered go too, and the log goes on from the newest', async () => {
  await grow(2)
  for (let i = 0; i < 10; i++) await sign()
  await pruned({ kept: 3, batch: 4 })
  expect(await sizesIn('registry.published_checkpoints')).toEqual([1, 2])
  expect(await sizesIn('registry.checkpoints')).toEqual([1, 2, 10, 11, 12])
  await verifyStoredLog(createLogStore(registry))
  await publish()
  await grow(1)
  expect(await sizesIn('registry.published_checkpoints')).toEqual([1, 2, 12, 13])
})

test('what is proved does not change: receipts of before, anchored sizes, and consistency between any sizes', async () => {
  const city = await testRegistry(database, { logSigners })
  const commitments = await grow(9)
  const [first = new Uint8Array()] = commitments
  const proof = async (query = '') => city.get(`/log/leaves/${toHex(first)}/proof${query}`)
  const before = (await proof('?size=2')).json<LeafProof>()
  const [second, eighth] = [await ofSize(2), await ofSize(8)]
  await anchor(4)
  await pruned({ kept: 2 })

  expect((await proof('?size=2')).json()).toMatchObject({ code: 'log-entry-not-found' })
  const vkey = city.registry.logVkey
  expect(verifyLeafProof(first, before, { vkey }).size).toBe(2)
  for (const query of ['', '?size=4', '?size=8', '?size=9']) {
    const leaf = (await proof(query)).json<LeafProof>()
    expect(verifyLeafProof(first, leaf, { vkey }).size).toBe(query === '' ? 4 : Number(query.slice('?size='.length)))
  }
  const { hashes } = (await city.get('/log/consistency?from=2&to=8')).json<{ hashes: string[] }>()
  verifyConsistency(second, eighth, hashes.map(fromHex))
  // The oldest one that waits tells since when, however long the ledger is away.
  const { unanchored } = (await city.get('/registry/ledger')).json<LedgerStatus>()
  expect(unanchored).toEqual({ entries: 5, since: (await ofSize(5)).publishedAt.toISOString() })
  await city.app.close()
})

test('an anchor that was not recorded and whose note is gone is known by its root, and the log anchored further', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'registry-ledger-'))
  const anvil = await startAnvil({ dataDir: folder })
  const ledger = await openEvmLedger({ rpcUrl: anvil.rpcUrl, account: anvilAccount(), timeoutMs: 2000 })
  try {
    await grow(5)
    const { root } = await ofSize(3)
    await ledger.anchor(root, 3)
    await pruned({ kept: 1 })
    expect(await createPublicationStore(registry).ofSize(3)).toBeNull()
    const publications = createPublicationStore(registry)
    const published = createPublishedLog(publications, createLogStore(registry).readTiles)
    const anchors = createAnchorStore(registry)
    await anchorLog(ledger, { publications, published, anchors, now, onLost: () => undefined })
    expect((await ledger.latest())?.size).toBe(5)
    expect((await anchors.list(0, 10)).map(({ size }) => size)).toEqual([5])
  } finally {
    await ledger.close()
    await anvil.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

test.each([
  ['the newest published checkpoint goes', 'delete from registry.published_checkpoints where size = 3', 'append-only'],
  ['all of them go', 'delete from registry.published_checkpoints', 'append-only'],
  ['an anchored one goes', 'delete from registry.published_checkpoints where size = 2', 'anchors'],
  ['a signed one goes before the published one', 'delete from registry.checkpoints where size = 1', 'published'],
  [
    'another root stands there',
    `update registry.checkpoints set root = decode(repeat('00', 32), 'hex')`,
    'append-only',
  ],
  ['a signature is taken out', 'update registry.checkpoints set note = left(note, -3)', 'append-only'],
  ['another note stands there', `update registry.published_checkpoints set note = 'x' || note`, 'append-only'],
  ['all are cut off', 'truncate registry.published_checkpoints cascade', 'permission denied'],
])('the database refuses that %s', async (_, statement, words) => {
  await grow(3)
  await anchor(2)
  await expect(sql.raw(statement).execute(registry)).rejects.toThrow(words)
})
