import { toHex } from '@tillit/codec'
import { verifyOpening, verifyReceipt } from '@tillit/log'
import type { Opening } from '@tillit/schemas'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { logOf } from '../../../packages/log/src/log-of.fixture.ts'
import { createStore } from '../src/store.ts'
import {
  type Answered,
  alice,
  batchClaims,
  bob,
  halfHours,
  otherUtility,
  signBatch,
  stranger,
  type TestCity,
  testCity,
  utility,
} from './test-city.ts'

let city: TestCity
beforeAll(async () => {
  city = await testCity()
})
afterAll(() => city.stop())

/** A device with two accepted batches at a point that its customer has read. */
async function household() {
  const point = await city.point()
  const device = await city.device(point.id)
  const first = await signBatch(batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 2)), device.signer)
  const second = await signBatch(batchClaims(device, 2, first, halfHours('2026-06-01T01:00:00Z', 2)), device.signer)
  for (const batch of [first, second]) expect((await city.upload(device, batch)).status).toBe(200)
  const query = new URLSearchParams({ from: '2026-06-01T00:00:00Z', to: '2026-06-01T02:00:00Z' })
  const read = await city.call(alice, 'GET', `/metering-points/${point.id}/readings?${query}`)
  const batchReceipt = (seq: number) => `/devices/${encodeURIComponent(device.did)}/batches/${seq}/receipt`
  return { point, device, batchReceipt, recordReceipt: `/access-records/${read.body.access_record}/receipt` }
}

async function commitments(): Promise<Uint8Array[]> {
  const { rows } = await sql<{ commitment: Buffer }>`select commitment from metering.outbox order by id`.execute(
    city.db,
  )
  return rows.map(({ commitment }) => new Uint8Array(commitment))
}

test('a device and the utility of its point get what opens the leaf of a batch', async () => {
  const { device, batchReceipt } = await household()
  const log = await logOf(await commitments())
  for (const caller of [device.caller, utility]) {
    const opening = (await city.call(caller, 'GET', batchReceipt(2))).body as unknown as Opening
    expect(opening).toMatchObject({ kind: 'reading-batch', entry: { device: device.did, seq: 2 } })
    const receipt = await log.receiptOf(opening)
    expect(verifyReceipt(receipt, { vkey: log.vkey }).commitment).toBe(opening.commitment)
  }
})

/** All of a problem but the id of the request. */
const words = ({ body: { request_id: _, ...problem } }: Answered) => problem

test('nobody else gets the receipt of a batch, nor learns whether there is one', async () => {
  const { batchReceipt } = await household()
  const neighbour = await city.device((await city.point()).id)
  for (const caller of [neighbour.caller, otherUtility, stranger]) {
    const refused = await city.call(caller, 'GET', batchReceipt(1))
    const unknown = await city.call(caller, 'GET', batchReceipt(9))
    expect([refused.status, words(refused)]).toEqual([404, words(unknown)])
  }
  expect((await city.call(alice, 'GET', batchReceipt(1))).status).toBe(403)
  for (const seq of [0, -1, 2 ** 31, 1.5]) expect((await city.call(utility, 'GET', batchReceipt(seq))).status).toBe(400)
})

const kinds = ['batches', 'access records'] as const
test.each(kinds)('erased salts of %s leave the leaves, and open them to holders of a receipt alone', async (kind) => {
  const { point, device, batchReceipt, recordReceipt } = await household()
  const kept = await household()
  const ofBatches = kind === 'batches'
  const caller = ofBatches ? device.caller : alice
  const path = ofBatches ? batchReceipt(1) : recordReceipt
  const opening = (await city.call(caller, 'GET', path)).body as unknown as Opening
  const before = await commitments()
  const receipt = await (await logOf(before)).receiptOf(opening)

  const store = createStore(city.db)
  const erase = () => (ofBatches ? store.eraseBatchSalts(device.did) : store.eraseAccessRecordSalts(point.id))
  expect(await erase()).toBe(ofBatches ? 2 : 1)
  expect(await erase()).toBe(0)

  const erased = await city.call(caller, 'GET', path)
  expect([erased.status, erased.body.code]).toEqual([410, 'salt-erased'])
  expect(erased.text).not.toContain(opening.commitment)
  expect((await city.call(bob, 'GET', recordReceipt)).status).toBe(404)
  const { rows } = await sql<{ text: string }>`
    select row_to_json(kept)::text as text from ${sql.table(ofBatches ? 'metering.device_batches' : 'metering.access_records')} as kept
    where commitment = ${Buffer.from(opening.commitment, 'hex')}`.execute(city.db)
  expect(rows).toHaveLength(1)
  expect(rows[0]?.text).toContain('"salt":null')
  expect(rows[0]?.text).not.toContain(Buffer.from(opening.salt, 'base64url').toString('hex'))
  // Whoever still has the entry cannot tell by it which leaf it is: without the salt there is nothing to try.
  const guess = { ...opening, salt: Buffer.alloc(16).toString('base64url') }
  expect(() => verifyOpening(guess)).toThrow('does not open')
  expect((await commitments()).map(toHex)).toEqual(before.map(toHex))
  expect(verifyReceipt(receipt).commitment).toBe(opening.commitment)
  expect(
    (
      await city.call(
        ofBatches ? kept.device.caller : alice,
        'GET',
        ofBatches ? kept.batchReceipt(1) : kept.recordReceipt,
      )
    ).status,
  ).toBe(200)
})

test('a batch whose salt was erased is still answered as before, and the next one taken', async () => {
  const { device, batchReceipt } = await household()
  const again = await signBatch(batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 2)), device.signer)
  await createStore(city.db).eraseBatchSalts(device.did)
  expect(await city.upload(device, again)).toMatchObject({ status: 200, body: { replay: true, stored: 2 } })
  const second = await signBatch(batchClaims(device, 2, again, halfHours('2026-06-01T01:00:00Z', 2)), device.signer)
  const third = await signBatch(batchClaims(device, 3, second, halfHours('2026-06-01T02:00:00Z', 2)), device.signer)
  expect(await city.upload(device, third)).toMatchObject({ status: 200, body: { seq: 3 } })
  expect((await city.call(device.caller, 'GET', batchReceipt(3))).status).toBe(200)
})

describe.each(['metering.device_batches', 'metering.access_records'])('the database refuses for %s', (table) => {
  test.each([
    ['another salt', `update ${table} set salt = decode(repeat('00', 16), 'hex')`],
    ['another entry with the salt', `update ${table} set salt = null, entry = '{}'`],
    ['another entry', `update ${table} set entry = '{}'`],
    ['another commitment', `update ${table} set commitment = decode(repeat('00', 32), 'hex')`],
    ['its deletion', `delete from ${table}`],
  ])('%s', async (_, statement) => {
    await household()
    await expect(sql.raw(statement).execute(city.db)).rejects.toThrow('append-only')
  })
})
