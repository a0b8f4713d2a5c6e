import { signerFromSeed, toMultikey } from '@tillit/keys'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batchClaims, halfHours, signBatch, type TestCity, type TestDevice, testCity, utility } from './test-city.ts'

let city: TestCity
let pointId: string
let device: TestDevice
beforeAll(async () => {
  city = await testCity()
})
afterAll(() => city.stop())

async function fresh(): Promise<void> {
  pointId = (await city.point()).id
  device = await city.device(pointId)
}
const storedReadings = async () =>
  city.db.selectFrom('metering.readings').selectAll().where('metering_point_id', '=', pointId).execute()
const leaves = async () =>
  (await city.db.selectFrom('metering.device_batches').selectAll().where('device_did', '=', device.did).execute())
    .length

test('a device that was offline catches up in order, and what it repeats is stored once', async () => {
  await fresh()
  const first = await signBatch(batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 48)), device.signer)
  const second = await signBatch(batchClaims(device, 2, first, halfHours('2026-06-02T00:00:00Z', 48)), device.signer)
  const third = await signBatch(batchClaims(device, 3, second, halfHours('2026-06-02T12:00:00Z', 48)), device.signer)
  expect(await city.upload(device, first)).toMatchObject({ status: 200, body: { seq: 1, stored: 48, replay: false } })
  expect(await city.upload(device, third)).toMatchObject({
    status: 409,
    body: { code: 'batch-out-of-sequence', expected_seq: 2 },
  })
  expect(await city.upload(device, second)).toMatchObject({ status: 200, body: { stored: 48 } })
  expect(await city.upload(device, third)).toMatchObject({ status: 200, body: { stored: 24, duplicates: 24 } })
  expect(await storedReadings()).toHaveLength(120)
})

test('the very same batch again is answered as before and stores nothing', async () => {
  await fresh()
  const batch = await signBatch(batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 4)), device.signer)
  const once = await city.upload(device, batch)
  expect(await city.upload(device, batch)).toMatchObject({ status: 200, body: { ...once.body, replay: true } })
  expect(await storedReadings()).toHaveLength(4)
  expect(await leaves()).toBe(1)
})

test('a batch under a key that the DID of the device was rotated to a moment ago is taken, one under any other key is not', async () => {
  await fresh()
  const { did } = device
  const [next, other] = await Promise.all([201, 202].map((byte) => signerFromSeed(new Uint8Array(32).fill(byte))))
  if (next === undefined || other === undefined) throw new Error('no signers')
  const id = `${did}#next`
  const method = { id, type: 'Multikey', controller: did, publicKeyMultibase: toMultikey(next.publicKey) }
  city.freshDocuments.set(did, { id: did, verificationMethod: [method], assertionMethod: [id] })
  const claims = batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 4))
  expect(await city.upload(device, await signBatch(claims, other))).toMatchObject({
    body: { code: 'invalid-signature' },
  })
  expect(await city.upload(device, await signBatch(claims, next))).toMatchObject({ status: 200, body: { stored: 4 } })
})

test('the same batch sent ten times at once is stored once', async () => {
  await fresh()
  const batch = await signBatch(batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 48)), device.signer)
  const answers = await Promise.all(Array.from({ length: 10 }, () => city.upload(device, batch)))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
  expect(answers.filter(({ body }) => body.replay === false)).toHaveLength(1)
  expect(await storedReadings()).toHaveLength(48)
})

test('another content under a number that was used is refused', async () => {
  await fresh()
  await city.upload(
    device,
    await signBatch(batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 4)), device.signer),
  )
  const other = await signBatch(batchClaims(device, 1, null, halfHours('2026-06-03T00:00:00Z', 4)), device.signer)
  expect(await city.upload(device, other)).toMatchObject({ status: 409, body: { code: 'batch-replayed' } })
})

test('a batch that names another predecessor is refused', async () => {
  await fresh()
  const first = await signBatch(batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 4)), device.signer)
  await city.upload(device, first)
  const unchained = await signBatch(
    batchClaims(device, 2, 'x.y.z', halfHours('2026-06-02T00:00:00Z', 4)),
    device.signer,
  )
  expect(await city.upload(device, unchained)).toMatchObject({
    status: 409,
    body: { code: 'batch-out-of-sequence', expected_seq: 2, pointer: '/prv' },
  })
})

test('a forged batch is not authentic, a foreign one not allowed, and neither leaves a trace', async () => {
  await fresh()
  const claims = batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 4))
  const forged = await signBatch(claims, await signerFromSeed(new Uint8Array(32).fill(9)))
  expect(await city.upload(device, forged)).toMatchObject({ status: 401, body: { code: 'invalid-signature' } })

  const neighbour = await city.device((await city.point()).id)
  const genuine = await signBatch(claims, device.signer)
  expect(await city.upload(device, genuine, neighbour.caller)).toMatchObject({
    status: 403,
    body: { code: 'foreign-stream' },
  })
  expect(await city.upload(neighbour, genuine)).toMatchObject({ status: 403, body: { code: 'foreign-stream' } })
  expect(await storedReadings()).toHaveLength(0)
  expect(await leaves()).toBe(0)
})

test('a conflicting or overlapping reading refuses the batch whole, a better value replaces an estimate', async () => {
  await fresh()
  const estimate = halfHours('2026-06-01T00:00:00Z', 2).map((reading) => ({
    ...reading,
    quality: 'estimated' as const,
  }))
  const first = await signBatch(batchClaims(device, 1, null, estimate), device.signer)
  await city.upload(device, first)
  const corrected = await signBatch(
    batchClaims(device, 2, first, halfHours('2026-06-01T00:00:00Z', 2, 5)),
    device.signer,
  )
  expect(await city.upload(device, corrected)).toMatchObject({ status: 200, body: { stored: 2, duplicates: 0 } })
  expect((await storedReadings()).map(({ value_milli, quality }) => [value_milli, quality])).toEqual([
    [5000, 'measured'],
    [5000, 'measured'],
  ])
  const readings = [...halfHours('2026-05-31T00:00:00Z', 1), ...halfHours('2026-06-01T00:00:00Z', 2, 7)]
  const conflicting = await signBatch(batchClaims(device, 3, corrected, readings), device.signer)
  expect(await city.upload(device, conflicting)).toMatchObject({
    status: 409,
    body: { code: 'conflicting-reading', pointer: '/readings/1' },
  })
  const overlapping = await signBatch(
    batchClaims(device, 3, corrected, halfHours('2026-06-01T00:45:00Z', 1)),
    device.signer,
  )
  expect(await city.upload(device, overlapping)).toMatchObject({ status: 409, body: { code: 'conflicting-reading' } })
  expect(await storedReadings()).toHaveLength(2)
})

test('when the leaf cannot be written neither are batch and readings', async () => {
  await fresh()
  const batch = await signBatch(batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 4)), device.signer)
  const { administer } = await import('@tillit/database')
  const { url } = city.database
  await administer(
    url,
    `create function metering.fail() returns trigger language plpgsql as $$ begin raise exception 'no room' using errcode = '53100'; end $$`,
  )
  await administer(
    url,
    `create trigger fail before insert on metering.outbox for each row execute function metering.fail()`,
  )
  try {
    expect(await city.upload(device, batch)).toMatchObject({ status: 507, body: { code: 'storage-full' } })
    expect(await storedReadings()).toHaveLength(0)
    expect(await leaves()).toBe(0)
  } finally {
    await administer(url, 'drop trigger fail on metering.outbox')
  }
  expect(await city.upload(device, batch)).toMatchObject({ status: 200, body: { stored: 4, replay: false } })
})

test('a device in quarantine or unknown is refused', async () => {
  await fresh()
  const path = `/devices/${encodeURIComponent(device.did)}/quarantine`
  expect(await city.call(utility, 'POST', path)).toMatchObject({ status: 200, body: { status: 'QUARANTINED' } })
  const batch = await signBatch(batchClaims(device, 1, null, halfHours('2026-06-01T00:00:00Z', 4)), device.signer)
  expect(await city.upload(device, batch)).toMatchObject({ status: 403, body: { code: 'device-not-active' } })
})
