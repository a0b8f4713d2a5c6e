import { randomBytes } from 'node:crypto'
import { toHex } from '@tillit/codec'
import { addToOutbox, type Database, type TestDatabase, testDatabase } from '@tillit/database'
import { type Signer, signerFromSeed } from '@tillit/keys'
import { formatVerifierKey, verifierKey, verifyCheckpoint, verifyLeafProof, verifyWithPolicy } from '@tillit/log'
import type { LeafProof, LedgerStatus } from '@tillit/schemas'
import type { WitnessPeer } from '@tillit/witness'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAnchorStore } from './anchor-store.ts'
import type { RegistryPorts, RegistryTables } from './index.ts'
import { createLogStore } from './log-store.ts'
import { createPublicationStore } from './publication-store.ts'
import { publishNewestCheckpoint } from './publish-checkpoint.ts'
import { eventually, testRegistry } from './registry.fixture.ts'
import { sequenceOutboxes, signNewCheckpoint } from './sequence-log.ts'
import { logOrigin, membersOf, type TestWitness, testWitness, witnessedBy } from './witness.fixture.ts'
import { createWitnessing } from './witnessing.ts'

const older = await signerFromSeed(new Uint8Array(32).fill(1))
const newer = await signerFromSeed(new Uint8Array(32).fill(9))
const vkeyOf = ({ publicKey }: Signer) => formatVerifierKey(verifierKey(logOrigin, publicKey))
const away: WitnessPeer = { addCheckpoint: () => Promise.reject(new Error('away')) }

let database: TestDatabase
let registry: Database<RegistryTables>
let witness: TestWitness
let second: TestWitness
let clock = Date.parse('2026-01-01T00:00:00Z')
// Each look at the clock is two seconds later, so that every pass may sign.
const now = () => {
  clock += 2000
  return new Date(clock)
}
beforeEach(async () => {
  database = await testDatabase()
  registry = database.connect<RegistryTables>('registry')
  witness = await testWitness('witness.example', [older, newer], { seed: 5, postQuantum: true })
  second = await testWitness('second.example', [older, newer], { seed: 6 })
})
afterEach(async () => {
  await witness.close()
  await second.close()
  await database.drop()
})

async function add(): Promise<Uint8Array> {
  const commitment = new Uint8Array(randomBytes(32))
  await addToOutbox(registry, 'registry', { kind: 'did', commitment })
  await sequenceOutboxes(createLogStore(registry), { now })
  return commitment
}

const sign = (...logSigners: Signer[]) => signNewCheckpoint(createLogStore(registry), { now, logOrigin, logSigners })

function publish(logSigners: Signer[], witnessing: RegistryPorts['witnessing']): Promise<boolean> {
  return publishNewestCheckpoint({
    log: createLogStore(registry),
    publications: createPublicationStore(registry),
    witnessing: createWitnessing({ logOrigin, logSigners, witnessing }),
    now,
    onAnswers: () => undefined,
    signal: new AbortController().signal,
  })
}

async function newestNote(): Promise<string> {
  return (await createPublicationStore(registry).newest())?.note ?? ''
}

const both = (peer?: WitnessPeer) => witnessedBy(membersOf(witness, peer), { threshold: 2 })
const signedBy = (note: string, { publicKey }: Signer) => verifyCheckpoint(note, verifierKey(logOrigin, publicKey)).size

test('a quiet log is signed by its new key too, and its cosignatures hold although the witness is away', async () => {
  await add()
  await sign(older)
  await publish([older], both())
  const before = await newestNote()
  expect(() => signedBy(before, newer)).toThrow('not signed by')

  expect(await sign(newer, older)).toBe(true)
  expect(await sign(newer, older)).toBe(false)
  expect(await publish([newer, older], both(away))).toBe(true)
  expect(await publish([newer, older], both(away))).toBe(false)
  const after = await newestNote()
  expect(after.startsWith(before)).toBe(true)
  for (const signer of [older, newer]) expect(signedBy(after, signer)).toBe(1)
  const { policy } = createWitnessing({ logOrigin, logSigners: [newer], witnessing: both() })
  expect(verifyWithPolicy(after, policy).cosignedBy).toHaveLength(2)
})

test('a log that slept through the whole overlap is signed by the new key beside the old one', async () => {
  await add()
  await sign(older)
  await publish([older], both())
  expect(await sign(newer)).toBe(true)
  expect(await publish([newer], both())).toBe(true)
  for (const signer of [older, newer]) expect(signedBy(await newestNote(), signer)).toBe(1)
})

test('what was signed and not published before the key changed is published under the new one', async () => {
  await add()
  await sign(older)
  expect(await sign(newer)).toBe(true)
  expect(await publish([newer], both())).toBe(true)
  expect(signedBy(await newestNote(), newer)).toBe(1)
})

test('a policy that asks for another witness has the newest checkpoint cosigned by that one', async () => {
  await add()
  await sign(older)
  await publish([older], both())
  const before = await newestNote()
  const wider = (peer?: WitnessPeer) =>
    witnessedBy([...membersOf(witness), ...membersOf(second, peer)], { threshold: 3 })
  await expect(publish([older], wider(away))).rejects.toMatchObject({ code: 'checkpoint-not-witnessed' })
  expect(await newestNote()).toBe(before)
  expect(await publish([older], wider())).toBe(true)
  const { policy } = createWitnessing({ logOrigin, logSigners: [older], witnessing: wider() })
  const after = await newestNote()
  expect(verifyWithPolicy(after, policy).cosignedBy).toHaveLength(3)
  // Those that it had are neither doubled nor replaced.
  expect(after.split('\n').length).toBe(before.split('\n').length + 1)
})

test('the new key does not sign a tree that the tiles do not hold any more', async () => {
  await add()
  await sign(older)
  await registry
    .updateTable('registry.tiles')
    .set({ hashes: Buffer.alloc(32, 7) })
    .execute()
  await expect(sign(newer, older)).rejects.toMatchObject({ code: 'log-inconsistent' })
  expect((await createLogStore(registry).newestSigned())?.note).not.toContain(vkeyOf(newer).split('+')[1])
})

test('a registry that is started with a new key lets receipts verify under either, and names both', async () => {
  const witnessing = both()
  const before = await testRegistry(database, { logSigners: [older], witnessing })
  before.registry.start()
  const commitment = await add()
  const path = `/log/leaves/${toHex(commitment)}/proof`
  await eventually(async () => expect((await before.get(path)).statusCode).toBe(200))
  const early = (await before.get(path)).json<LeafProof>()
  await before.registry.stop()
  await before.app.close()

  const city = await testRegistry(database, { logSigners: [newer, older], witnessing })
  city.registry.start()
  await eventually(async () => expect(signedBy((await city.get('/log/checkpoint')).body, newer)).toBe(1))
  const leaf = (await city.get(path)).json<LeafProof>()
  expect(leaf.log.vkey).toBe(vkeyOf(newer))
  for (const signer of [older, newer]) expect(verifyLeafProof(commitment, leaf, { vkey: vkeyOf(signer) }).size).toBe(1)
  expect(verifyLeafProof(commitment, early, { vkey: vkeyOf(older) }).size).toBe(1)
  expect(() => verifyLeafProof(commitment, early, { vkey: vkeyOf(newer) })).toThrow('has not signed it')
  expect([city.registry.logVkey, ...city.registry.logVkeys]).toEqual([newer, newer, older].map(vkeyOf))
  expect((await city.get('/registry/ledger')).json<LedgerStatus>().log_vkeys).toEqual([newer, older].map(vkeyOf))
  await city.registry.stop()
  await city.app.close()
})

test('a receipt is not built on an anchored note of the old key alone, unless it is asked for by its size', async () => {
  const commitment = await add()
  await sign(older)
  await publish([older], both())
  const publications = createPublicationStore(registry)
  const root = (await publications.newest())?.root ?? new Uint8Array()
  await createAnchorStore(registry).insert({
    ...{ chainId: 1, contract: `0x${'5f'.repeat(20)}`, transaction: `0x${'ab'.repeat(32)}`, blockNumber: 7 },
    ...{ size: 1, root, anchoredAt: now() },
  })
  await add()
  await sign(newer)
  await publish([newer], both())
  const city = await testRegistry(database, { logSigners: [newer], witnessing: both() })
  const proof = async (query = '') =>
    (await city.get(`/log/leaves/${toHex(commitment)}/proof${query}`)).json<LeafProof>()
  expect(verifyLeafProof(commitment, await proof(), { vkey: vkeyOf(newer) })).toMatchObject({ size: 2, anchored: null })
  const anchored = verifyLeafProof(commitment, await proof('?size=1'), { vkey: vkeyOf(older) })
  expect(anchored).toMatchObject({ size: 1, anchored: { block_number: 7 } })
  await city.app.close()
})
