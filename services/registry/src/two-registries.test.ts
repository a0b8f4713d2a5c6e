import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex, toHex } from '@tillit/codec'
import { addToOutbox, type TestDatabase, testDatabase } from '@tillit/database'
import { signerFromSeed } from '@tillit/keys'
import { type Anvil, anvilAccount, openEvmLedger, readAnchor, startAnvil } from '@tillit/ledger'
import { leafHash, parseVerifierKey, rootOfLeaves, verifyCheckpoint } from '@tillit/log'
import type { AnchorList, DidAccepted } from '@tillit/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RegistryTables } from './index.ts'
import { createLogStore } from './log-store.ts'
import { createPublicationStore } from './publication-store.ts'
import { eventually, newDid, testRegistry } from './registry.fixture.ts'
import { membersOf, type TestWitness, testWitness, witnessedBy } from './witness.fixture.ts'

let database: TestDatabase
let folder: string
let anvil: Anvil
let witness: TestWitness
let cities: Awaited<ReturnType<typeof testRegistry>>[]
const logSigners = [await signerFromSeed(new Uint8Array(32).fill(1))]

beforeAll(async () => {
  database = await testDatabase()
  folder = mkdtempSync(join(tmpdir(), 'registry-ledger-'))
  anvil = await startAnvil({ dataDir: folder })
  witness = await testWitness('witness.example', logSigners, { seed: 5, postQuantum: true })
  const twin = () =>
    testRegistry(database, {
      logSigners,
      witnessing: witnessedBy(membersOf(witness), { threshold: 2 }),
      ledger: () => openEvmLedger({ rpcUrl: anvil.rpcUrl, account: anvilAccount() }),
      anchorIntervalSeconds: 1,
    })
  cities = [await twin(), await twin()]
  for (const { registry } of cities) registry.start()
})
afterAll(async () => {
  await Promise.all(cities.map(({ registry }) => registry.stop()))
  await Promise.all(cities.map(({ app }) => app.close()))
  await anvil.stop()
  await witness.close()
  rmSync(folder, { recursive: true, force: true })
  await database.drop()
})

test('two registries that were started on one database by mistake keep one log', async () => {
  const registry = database.connect<RegistryTables>('registry')
  const submitted: string[] = []
  const busy = async (city: (typeof cities)[number]) => {
    for (let round = 0; round < 15; round++) {
      const { entry } = await newDid()
      const { opening } = (await city.post('/dids', { entry, listed: true })).json<DidAccepted>()
      submitted.push(opening.commitment)
      const commitment = crypto.getRandomValues(new Uint8Array(32))
      await addToOutbox(registry, 'registry', { kind: 'did', commitment })
      submitted.push(toHex(commitment))
      await city.registry.anchorNow()
    }
  }
  await Promise.all(cities.flatMap((city) => [busy(city), busy(city)]))
  const anchors = await eventually(async () => {
    for (const { registry: twin } of cities) {
      const status = await twin.status()
      expect(status).toMatchObject({ sequencing_fault: null, publishing_fault: null, fault: null })
      expect(status.latest_checkpoint?.size).toBe(submitted.length)
      expect(status.last_anchor?.size).toBe(submitted.length)
    }
    return (await cities[0]?.get('/registry/anchors?limit=500'))?.json<AnchorList>().anchors ?? []
  })

  const log = createLogStore(registry)
  const entries = await log.readEntries(0, submitted.length + 1)
  expect(entries.map((entry) => toHex(entry.subarray(0, 32))).sort()).toEqual(submitted.sort())
  const rootAt = (size: number) => toHex(rootOfLeaves(entries.slice(0, size).map(leafHash)))
  const signed = await registry.selectFrom('registry.checkpoints').selectAll().orderBy('size').execute()
  for (const { size, root } of signed) expect(toHex(root)).toBe(rootAt(size))
  const published = await registry.selectFrom('registry.published_checkpoints').selectAll().orderBy('size').execute()
  expect(published.length).toBeGreaterThan(1)
  for (const { size, note } of published) {
    const checkpoint = verifyCheckpoint(note, parseVerifierKey(cities[0]?.registry.logVkey ?? ''))
    expect({ size: checkpoint.size, root: toHex(checkpoint.root) }).toEqual({ size, root: rootAt(size) })
  }
  // The witness saw one log: it never refused anything as inconsistent, and holds what is public.
  expect(witness.events.filter(({ event }) => event !== 'cosigned')).toEqual([])
  const newest = await createPublicationStore(registry).newest()
  expect((await witness.latest('localhost:8080/log'))?.checkpoint.size).toBe(newest?.size)
  expect(anchors.length).toBeGreaterThan(0)
  for (const { size, root, contract, transaction } of anchors) {
    expect(root).toBe(rootAt(size))
    const held = await readAnchor({ rpcUrl: anvil.rpcUrl, contract, anchor: { transaction } })
    expect(held).toMatchObject({ size, root: fromHex(root) })
  }
})
