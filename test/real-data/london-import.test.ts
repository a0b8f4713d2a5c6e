import { createReadStream, existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ParsedReading, parseCsv, toWireReading } from '@tillit/metering'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addPath } from '../../services/metering/test/stand-in-views.ts'
import {
  adviser,
  alice,
  permissionId,
  scopeFor,
  type TestCity,
  testCity,
} from '../../services/metering/test/test-city.ts'

const file = fileURLToPath(new URL('../../../shared/data/lcl/MAC000002-2013.csv', import.meta.url))
const present = existsSync(file)
if (!present) console.log('The London household year (../shared/data/lcl) is not here; its import is not tested.')

const chunkSize = 5000
const year = 'from=2013-01-01T00:00:00Z&to=2014-01-01T00:00:00Z'

interface Series {
  granularity: string
  readings: { start: string; end: string; value: number; coverage: number }[]
}

describe.skipIf(!present)('the London household year in the city', () => {
  let city: TestCity
  let path: string
  let point: { id: string; gsrn: string }
  const readings: ParsedReading[] = []

  beforeAll(async () => {
    city = await testCity()
    for await (const reading of parseCsv(createReadStream(file), { timeZone: 'UTC', unit: 'kWh' }))
      readings.push(reading)
    point = await city.point({ zone: 'Europe/London', from: '2012-12-01T00:00:00Z' })
    path = `/metering-points/${point.id}/readings?${year}`
  })
  afterAll(() => city.stop())

  async function importAll(): Promise<{ stored: number; duplicates: number }> {
    const total = { stored: 0, duplicates: 0 }
    for (let at = 0; at < readings.length; at += chunkSize) {
      const { status, body, text } = await city.importInto(
        point.id,
        readings.slice(at, at + chunkSize).map(toWireReading),
      )
      if (status !== 200) throw new Error(text)
      total.stored += Number(body.stored)
      total.duplicates += Number(body.duplicates)
    }
    return total
  }

  test('is imported once, however often', async () => {
    expect(await importAll()).toEqual({ stored: 17_520, duplicates: 0 })
    expect(await importAll()).toEqual({ stored: 0, duplicates: 17_520 })
  })

  test('comes to 4,214.648 kWh by half-hour, day, month and year', async () => {
    for (const [granularity, count] of [
      ['PT30M', 17_520],
      ['P1D', 365],
      ['P1M', 12],
      ['P1Y', 1],
    ] as const) {
      const { body } = await city.call(alice, 'GET', `${path}&granularity=${granularity}`)
      const series = body as unknown as Series
      expect(series.readings).toHaveLength(count)
      const milli = series.readings.reduce((sum, { value }) => sum + Math.round(value * 1000), 0)
      expect((milli / 1e6).toFixed(3)).toBe('4214.648')
    }
  })

  test('reaches a party with a daily permission as days, of which one has 23 hours and one 25', async () => {
    const scope = scopeFor(point.gsrn, { period: { from: '2013-01-01T00:00:00Z', to: '2014-01-01T00:00:00Z' } })
    await addPath(city.database.url, {
      ...{ permission: permissionId('Y'), party: adviser.id, point: point.id, customer: alice.id, scope },
    })
    const series = (await city.call(adviser, 'GET', path)).body as unknown as Series
    const hours = series.readings.map(({ start, end }) => (Date.parse(end) - Date.parse(start)) / 3_600_000)
    expect([series.granularity, hours.length]).toEqual(['P1D', 365])
    expect(hours.filter((h) => h === 23)).toHaveLength(1)
    expect(hours.filter((h) => h === 25)).toHaveLength(1)
    for (const { coverage } of series.readings) expect(coverage).toBe(1)
    expect((await city.call(adviser, 'GET', `${path}&granularity=PT30M`)).status).toBe(403)
  })
})
