import { randomBytes } from 'node:crypto'
import { toHex } from '@tillit/codec'
import { addToOutbox, type Database, type TestDatabase, testDatabase } from '@tillit/database'
import { signerFromSeed } from '@tillit/keys'
import {
  hashBytes,
  leafHash,
  nodeHash,
  parseEntryBundle,
  rootOfLeaves,
  tilePath,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
} from '@tillit/log'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RegistryTables } from './index.ts'
import { createLogStore, type LogStore } from './log-store.ts'
import { createPublicationStore } from './publication-store.ts'
import { publishNewestCheckpoint } from './publish-checkpoint.ts'
import { createPublishedLog } from './published-log.ts'
import { createTileReader } from './read-tile.ts'
import { sequenceOutboxes, signNewCheckpoint, verifyStoredLog } from './sequence-log.ts'
import { logOrigin, membersOf, type TestWitness, testWitness, witnessedBy } from './witness.fixture.ts'
import { createWitnessing } from './witnessing.ts'

/** Leaves of one perfect tree, of which the test knows the root alone. */
const perfect = 2 ** 40
const perfectRoot = new Uint8Array(hashBytes).fill(0x40)
const oldEntries = Array.from({ length: 5 }, (_, i) => new Uint8Array(hashBytes).fill(i + 1))
const oldHead = {
  size: perfect + oldEntries.length,
  root: nodeHash(perfectRoot, rootOfLeaves(oldEntries.map(leafHash))),
}
const appended = 300

let database: TestDatabase
let registry: Database<RegistryTables>
let log: LogStore
let witness: TestWitness
const logSigners = [await signerFromSeed(new Uint8Array(32).fill(1))]
const ports = { now: () => new Date(), logOrigin, logSigners }

/** The log as it stands after 2^40 + 5 entries, as far as its edge needs it. */
beforeAll(async () => {
  database = await testDatabase()
  registry = database.connect<RegistryTables>('registry')
  log = createLogStore(registry)
  witness = await testWitness('witness.example', logSigners, { seed: 5, postQuantum: true })
  const hashes = Buffer.concat(oldEntries.map(leafHash))
  await log.sequence(async (writer) => {
    await writer.insertLeaves(
      perfect,
      oldEntries.map((commitment) => ({ commitment, publicSalt: null })),
      new Date(),
    )
    await writer.putTiles([
      { level: 0, index: perfect / tileWidth, width: oldEntries.length, hashes },
      { level: 5, index: 0, width: 1, hashes: perfectRoot },
    ])
    const signedAt = new Date(Date.now() - 60_000)
    await writer.insertCheckpoint({ ...oldHead, note: 'of an older time', signedAt })
  })
})
afterAll(async () => {
  await witness.close()
  await database.drop()
})

test('a log of more than 2^40 entries is appended to, signed, witnessed, published and proved', async () => {
  await verifyStoredLog(log)
  for (let i = 0; i < appended; i++)
    await addToOutbox(registry, 'registry', { kind: 'did', commitment: new Uint8Array(randomBytes(hashBytes)) })
  expect(await sequenceOutboxes(log, ports)).toBe(appended)
  expect(await signNewCheckpoint(log, ports)).toBe(true)

  const publications = createPublicationStore(registry)
  const witnessing = createWitnessing({ ...ports, witnessing: witnessedBy(membersOf(witness), { threshold: 2 }) })
  const onAnswers = () => undefined
  const { signal } = new AbortController()
  const now = ports.now
  expect(await publishNewestCheckpoint({ log, publications, witnessing, now, onAnswers, signal })).toBe(true)
  expect((await witness.latest(logOrigin))?.checkpoint.size).toBe(oldHead.size + appended)

  const published = createPublishedLog(publications, log.readTiles)
  const head = await published.newest()
  if (head === null) throw new Error('nothing is published')
  const entries = await log.readEntries(perfect, tileWidth * 2)
  expect(entries.length).toBe(oldEntries.length + appended)
  const root = nodeHash(perfectRoot, rootOfLeaves(entries.map(leafHash)))
  expect(toHex(head.root)).toBe(toHex(root))

  verifyConsistency(oldHead, head, await published.prover.consistencyProof(oldHead.size, head.size))
  for (const index of [perfect, perfect + 255, perfect + 256, head.size - 1]) {
    const entry = entries[index - perfect] ?? new Uint8Array()
    const proof = await published.prover.inclusionProof(index, head.size)
    verifyInclusion(leafHash(entry), { index, size: head.size, root: head.root, proof })
  }

  const readTile = createTileReader(log, published)
  const full = tilePath({ level: 0, index: perfect / tileWidth, width: tileWidth })
  expect(full).toBe('tile/0/x004/x294/x967/296')
  const tile = await readTile(full.slice('tile/'.length))
  expect(tile.bytes.toString('hex')).toBe(
    entries
      .slice(0, tileWidth)
      .map((entry) => toHex(leafHash(entry)))
      .join(''),
  )
  const bundle = await readTile('entries/x004/x294/x967/297.p/49')
  expect(parseEntryBundle(bundle.bytes).map(toHex)).toEqual(entries.slice(tileWidth).map(toHex))
  await expect(readTile('entries/x004/x294/x967/297.p/50')).rejects.toMatchObject({ code: 'not-found' })
})
