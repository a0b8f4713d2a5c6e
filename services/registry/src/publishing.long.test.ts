import { toHex } from '@tillit/codec'
import { addToOutbox, type TestDatabase, testDatabase } from '@tillit/database'
import { signerFromSeed } from '@tillit/keys'
import type { LedgerStatus, WitnessList } from '@tillit/schemas'
import { httpWitnessPeer, serveWitness } from '@tillit/witness'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RegistryTables } from './index.ts'
import { eventually, recordingLogger, testRegistry } from './registry.fixture.ts'
import { membersOf, type TestWitness, testWitness, witnessedBy } from './witness.fixture.ts'

let database: TestDatabase
let witness: TestWitness
const logSigners = [await signerFromSeed(new Uint8Array(32).fill(1))]
beforeEach(async () => {
  database = await testDatabase()
  witness = await testWitness('witness.example', logSigners, { seed: 5 })
})
afterEach(async () => {
  await witness.close()
  await database.drop()
})

async function submit(): Promise<string> {
  const commitment = crypto.getRandomValues(new Uint8Array(32))
  await addToOutbox(database.connect<RegistryTables>('registry'), 'registry', { kind: 'did', commitment })
  return toHex(commitment)
}

test('a witness that takes a request and never answers is given up, told once, and heard when it answers again', async () => {
  let hanging = true
  const members = membersOf(witness, {
    addCheckpoint: (body, signal) =>
      hanging ? new Promise<never>(() => undefined) : witness.addCheckpoint(body, signal),
  })
  const { lines, logger } = recordingLogger()
  const city = await testRegistry(database, { logSigners, witnessing: witnessedBy(members, { threshold: 1 }), logger })
  city.registry.start()
  const commitment = await submit()
  await eventually(async () => {
    const { witnesses, fault } = (await city.get('/log/witnesses')).json<WitnessList>()
    expect(witnesses[0]?.fault).toBe('it did not answer in time')
    expect(fault).toContain('not met')
  })
  await submit()
  await eventually(async () => expect((await city.get('/registry/ledger')).json<LedgerStatus>().signed_size).toBe(2))
  hanging = false
  await eventually(async () => expect((await city.get(`/log/leaves/${commitment}/proof`)).statusCode).toBe(200))
  expect(
    lines.filter(({ message }) => message === 'witness witness.example-ed25519: it did not answer in time').length,
  ).toBe(1)
  expect(lines.filter(({ message }) => message === 'publishing works again').length).toBe(1)
  await city.registry.stop()
  await city.app.close()
})

test('a witness that is stopped and started again gets on where the log is', async () => {
  const first = await serveWitness(witness, { host: '127.0.0.1', port: 0 })
  const { port } = new URL(first.url)
  const peer = httpWitnessPeer({ url: first.url, timeoutMilliseconds: 5_000 })
  const witnessing = witnessedBy(membersOf(witness, peer), { threshold: 1 })
  const city = await testRegistry(database, { logSigners, witnessing })
  city.registry.start()
  const before = await submit()
  await eventually(async () => expect((await city.get(`/log/leaves/${before}/proof`)).statusCode).toBe(200))
  await first.close()
  const during = await submit()
  await eventually(async () =>
    expect((await city.registry.status()).publishing_fault).toContain('The witness did not answer'),
  )
  expect((await city.get(`/log/leaves/${during}/proof`)).statusCode).toBe(404)
  const second = await serveWitness(witness, { host: '127.0.0.1', port: Number(port) })
  await eventually(async () => expect((await city.get(`/log/leaves/${during}/proof`)).statusCode).toBe(200))
  expect((await city.registry.status()).publishing_fault).toBeNull()
  expect(witness.events.filter(({ event }) => event !== 'cosigned')).toEqual([])
  await city.registry.stop()
  await city.app.close()
  await second.close()
})
