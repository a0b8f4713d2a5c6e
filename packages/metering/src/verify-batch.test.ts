import { type Signer, signerFromSeed, signJws } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import type { BatchClaims } from '@tillit/schemas'
import { beforeAll, expect, test } from 'vitest'
import { batchType, peekBatchIssuer, verifyBatch } from './verify-batch.ts'

const nowMs = Date.parse('2026-03-01T12:00:00Z')
const claims: BatchClaims = {
  iss: 'did:key:z6Mkexample',
  seq: 1,
  prv: null,
  product: 'active_energy',
  direction: 'consumption',
  unit: 'W.h',
  readings: [
    { start: '2026-03-01T11:00:00Z', duration_seconds: 1800, value: 0.5, quality: 'measured' },
    { start: '2026-03-01T11:30:00Z', duration_seconds: 1800, value: 241, quality: 'measured' },
  ],
}
let device: Signer
let stranger: Signer
beforeAll(async () => {
  device = await signerFromSeed(new Uint8Array(32).fill(1))
  stranger = await signerFromSeed(new Uint8Array(32).fill(2))
})
const sign = (payload: object, signer = device, typ = batchType) => signJws({ typ }, payload, signer)

test('a batch that its device signed gives its readings in thousandths', async () => {
  const batch = await sign(claims)
  expect(peekBatchIssuer(batch)).toBe(claims.iss)
  expect(verifyBatch(batch, device.publicKey, { nowMs }).readings.map(({ valueMilli }) => valueMilli)).toEqual([
    500, 241_000,
  ])
})

test('a batch that another key signed is not authentic', async () => {
  const forged = await sign(claims, stranger)
  expect(() => verifyBatch(forged, device.publicKey, { nowMs })).toThrowError(
    expect.objectContaining({ code: 'invalid-signature' }),
  )
})

const second = claims.readings[1]
const withSecond = (change: object) => ({ ...claims, readings: [claims.readings[0], { ...second, ...change }] })
test.each([
  ['a member that is not known', { ...claims, extra: 1 }, 'invalid-batch', undefined],
  ['a sequence of zero', { ...claims, seq: 0 }, 'invalid-batch', '/seq'],
  ['a day that does not exist', withSecond({ start: '2026-02-31T11:30:00Z' }), 'invalid-batch', '/readings/1/start'],
  ['a unit that is not the product’s', { ...claims, unit: 'kW.h' }, 'invalid-batch', '/unit'],
  ['an overlap', withSecond({ start: '2026-03-01T11:15:00Z' }), 'invalid-reading', '/readings/1/start'],
  ['the future', withSecond({ start: '2026-03-01T12:00:00Z' }), 'invalid-reading', '/readings/1/start'],
  ['a negative energy', withSecond({ value: -1 }), 'invalid-reading', '/readings/1/value'],
] as const)('a batch with %s is refused', async (_, payload, code, pointer) => {
  const batch = await sign(payload)
  try {
    verifyBatch(batch, device.publicKey, { nowMs })
    expect.unreachable()
  } catch (error) {
    if (!isProblem(error, code)) throw error
    if (pointer !== undefined) expect(error.pointer).toBe(pointer)
  }
})

test('another kind of signed statement is no batch', async () => {
  const statement = await sign(claims, device, 'tillit-statement+jwt')
  expect(() => verifyBatch(statement, device.publicKey, { nowMs })).toThrowError(
    expect.objectContaining({ code: 'invalid-batch' }),
  )
})
