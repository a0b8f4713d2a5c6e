import type { Reading } from '@tillit/schemas'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { halfHours, type TestCity, type TestDevice, testCity } from '../../../services/metering/test/test-city.ts'
import { type City, CityError, connectCity } from './city.ts'
import { type BatchStore, createDevice, createMemoryStore, type Device, isOffline } from './device.ts'

/** The metering service itself, with its database; only the network between is ours to cut. */
let metering: TestCity
let pointId: string
let meter: TestDevice
let store: BatchStore
let device: Device
let city: City
/** Whether the next request, or its answer, is lost. */
let lost: 'request' | 'answer' | null = null

beforeAll(async () => {
  metering = await testCity()
})
afterAll(() => metering.stop())
beforeEach(() => newMeter())

async function newMeter(): Promise<void> {
  pointId = (await metering.point()).id
  meter = await metering.device(pointId)
  store = createMemoryStore()
  device = createDevice({ did: meter.did, signer: meter.signer, store })
  city = connectCity({ url: 'http://tillit.test', fetch: askMetering })
  lost = null
}

const askMetering: typeof fetch = async (input, init = {}) => {
  const url = new URL(String(input)).pathname
  const loses = lost
  lost = null
  if (loses === 'request') throw new TypeError('fetch failed')
  const credentials = await metering.issuer.headers(meter.caller, 'POST', url)
  const headers = { ...(init.headers as Record<string, string>), ...credentials }
  const reply = await metering.app.inject({ method: 'POST', url, headers, payload: String(init.body) })
  if (loses === 'answer') throw new TypeError('terminated')
  return new Response(reply.body, { status: reply.statusCode })
}

const storedReadings = async () =>
  (
    await metering.db
      .selectFrom('metering.readings')
      .select('metering_point_id')
      .where('metering_point_id', '=', pointId)
      .execute()
  ).length
const hours = (day: number): Reading[] => halfHours(new Date(Date.UTC(2026, 5, day)).toISOString(), 4)
const faultOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  )

test('a crash between the answer and the save delivers exactly once', async () => {
  await device.record(hours(1))
  const beforeCrash: BatchStore = { load: store.load, save: () => Promise.reject(new Error('power cut')) }
  const crashing = createDevice({ did: meter.did, signer: meter.signer, store: beforeCrash })
  const fault = await faultOf(crashing.deliver(city))
  expect(fault).toMatchObject({ message: 'power cut' })
  expect(isOffline(fault)).toBe(false)
  expect(await storedReadings()).toBe(4)

  const restarted = createDevice({ did: meter.did, signer: meter.signer, store })
  expect(await restarted.deliver(city)).toMatchObject([{ seq: 1, stored: 4, replay: true }])
  expect(await storedReadings()).toBe(4)
  expect(await restarted.deliver(city)).toEqual([])
})

test('what is lost on the way, or whose answer is lost, is kept and delivered in order', async () => {
  for (const day of [1, 2, 3]) await device.record(hours(day))
  for (const loses of ['request', 'answer'] as const) {
    lost = loses
    expect(isOffline(await faultOf(device.deliver(city)))).toBe(true)
  }
  expect((await device.deliver(city)).map(({ seq, replay }) => [seq, replay])).toEqual([
    [1, true],
    [2, false],
    [3, false],
  ])
  expect(await storedReadings()).toBe(12)
})

test('measuring goes on while batches are delivered, and nothing is lost between the two', async () => {
  await device.record(hours(1))
  const numbers = await Promise.all([
    device.record(hours(2)),
    device.deliver(city).then(() => 0),
    device.record(hours(3)),
    device.deliver(city).then(() => 0),
    device.record(hours(4)),
  ])
  expect(numbers).toEqual([2, 0, 3, 0, 4])
  await device.deliver(city)
  expect(await storedReadings()).toBe(16)
  expect(await store.load()).toMatchObject({ seq: 4, pending: [] })
})

test('however the connection fails, each reading is stored once', async () => {
  const steps = fc.array(fc.constantFrom('record', 'deliver', 'lose the request', 'lose the answer'), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      await newMeter()
      let days = 0
      for (const step of plan) {
        if (step === 'record') await device.record(hours(++days))
        else {
          lost = step === 'lose the request' ? 'request' : step === 'lose the answer' ? 'answer' : null
          const fault = await faultOf(device.deliver(city))
          if (fault !== null && !isOffline(fault)) throw fault
        }
      }
      lost = null
      await device.deliver(city)
      expect(await storedReadings()).toBe(4 * days)
    }),
    { numRuns: 15 },
  )
})

test('a batch that the city refuses stops the delivery and is kept, with what comes after it', async () => {
  await device.record(halfHours('2027-01-01T00:00:00Z', 1))
  await device.record(hours(1))
  const fault = await faultOf(device.deliver(city))
  expect(fault).toMatchObject({ code: 'invalid-reading', status: 400 })
  expect(isOffline(fault)).toBe(false)
  expect((await store.load())?.pending).toHaveLength(2)
})

test('only what stands between device and city counts as offline', () => {
  expect(isOffline(new CityError(503, {}))).toBe(true)
  expect(isOffline(new CityError(403, {}))).toBe(false)
  expect(isOffline(new DOMException('too slow', 'TimeoutError'))).toBe(true)
  expect(isOffline(new Error('disk full'))).toBe(false)
})
