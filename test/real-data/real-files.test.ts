import { createReadStream, existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  aggregate,
  fromMilli,
  type ParsedReading,
  parseCsv,
  parseEspi,
  type ReadingStream,
  type WindowValue,
} from '@tillit/metering'
import { isProblem } from '@tillit/problem'
import { beforeAll, describe, expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../../../shared/data/', import.meta.url))
const present = existsSync(folder)
if (!present)
  console.log('The real metering files (../shared/data beside the project) are not here; their tests are skipped.')

async function collect(stream: ReadingStream): Promise<ParsedReading[]> {
  const readings: ParsedReading[] = []
  for await (const reading of stream) readings.push(reading)
  return readings
}

const sumMilli = (values: Iterable<{ valueMilli: number }>) =>
  [...values].reduce((total, { valueMilli }) => total + valueMilli, 0)

describe.skipIf(!present)('the London household of 2013', () => {
  let readings: ParsedReading[] = []
  let stream: ReadingStream
  beforeAll(async () => {
    const file = createReadStream(`${folder}lcl/MAC000002-2013.csv`)
    stream = parseCsv(file, { timeZone: 'UTC', unit: 'kWh' })
    readings = await collect(stream)
  })

  test('has 17,532 rows, of which 12 are repeats, and 17,520 half-hours', () => {
    expect(stream.counts).toEqual({ readings: 17_520, duplicates: 12 })
    expect(new Set(readings.map(({ startMs }) => startMs)).size).toBe(17_520)
    expect(new Set(readings.map(({ durationSeconds }) => durationSeconds))).toEqual(new Set([1800]))
  })

  test('used 4,214.648 kWh', () => {
    expect((fromMilli(sumMilli(readings)) / 1000).toFixed(3)).toBe('4214.648')
  })

  const year = { fromMs: Date.parse('2013-01-01T00:00:00Z'), toMs: Date.parse('2014-01-01T00:00:00Z') }
  const by = (granularity: string, timeZone: string): WindowValue[] => [
    ...aggregate(readings, { ...year, granularity, timeZone }),
  ]

  test.each(['UTC', 'Europe/London'])('has the same sum by half-hour, day, month and year in %s', (timeZone) => {
    const total = sumMilli(readings)
    for (const granularity of ['PT30M', 'PT1H', 'P1D', 'P1M', 'P1Y'])
      expect(sumMilli(by(granularity, timeZone))).toBe(total)
    expect(by('P1D', timeZone)).toHaveLength(365)
    expect(by('P1M', timeZone)).toHaveLength(12)
  })

  test('has one value for the day of 23 hours and one for the day of 25', () => {
    const days = by('P1D', 'Europe/London')
    const hoursOf = ({ startMs, endMs }: WindowValue) => (endMs - startMs) / 3_600_000
    const on = (start: string) => days.filter(({ startMs }) => startMs === Date.parse(start))
    expect(on('2013-03-31T00:00:00Z').map(hoursOf)).toEqual([23])
    expect(on('2013-10-26T23:00:00Z').map(hoursOf)).toEqual([25])
    expect(days.filter((day) => hoursOf(day) !== 24)).toHaveLength(2)
    for (const day of days) expect(day.coverage).toBe(1)
  })

  test('read with the wall clock of London it is refused, because that clock skips an hour the file has', async () => {
    const file = createReadStream(`${folder}lcl/MAC000002-2013.csv`)
    await expect(collect(parseCsv(file, { timeZone: 'Europe/London', unit: 'kWh' }))).rejects.toThrow(/skips this time/)
  })
})

/** What each feed holds: readings, sum in Wh and direction; or the code and the reason why it is refused. */
const feeds: Record<string, { readings: number; wh: number; direction: string } | { code: string; reason: RegExp }> = {
  'espi/test_usage_data_01.xml': { readings: 96, wh: 93_846, direction: 'consumption' },
  'espi/test_usage_data_1.xml': { readings: 480, wh: 511_688, direction: 'consumption' },
  'espi/test_usage_data_11.xml': { readings: 92, wh: 109_403, direction: 'consumption' },
  'espi/Usage-Subscription-Feed-Anonymized.xml': { code: 'invalid-file', reason: /no interval readings/ },
  'espi/Customer-Subscription-Feed-Anonymized.xml': { code: 'invalid-file', reason: /no interval readings/ },
  'espi/Multiple-Authorization-Feed-Anonymized.xml': { code: 'invalid-file', reason: /no interval readings/ },
  'espi/ApplicationInformation-Entry-Anonymized.xml': { code: 'invalid-file', reason: /no interval readings/ },
  'espi/Authorization-Entry-Anonymized.xml': { code: 'invalid-file', reason: /no interval readings/ },
  'eddie/green-button/Batch.xml': { readings: 67, wh: 726_240, direction: 'production' },
  'eddie/green-button/BatchWithInvalidSelfLink.xml': { readings: 67, wh: 726_240, direction: 'production' },
  'eddie/green-button/BatchWithInvalidIntervalBlock.xml': { code: 'invalid-file', reason: /no interval readings/ },
  'eddie/green-button/BatchWithWrongContentForIntervalBlock.xml': {
    code: 'invalid-file',
    reason: /no interval readings/,
  },
  'eddie/green-button/BatchWithoutIntervalBlock.xml': { code: 'invalid-file', reason: /no interval readings/ },
  'eddie/green-button/accounting_point_data.xml': { code: 'invalid-file', reason: /no interval readings/ },
  'eddie/green-button/output_vhd_v1.04.xml': { code: 'invalid-file', reason: /not an Atom feed/ },
}

describe.skipIf(!present)('the Green Button feeds', () => {
  test('are all listed here', () => {
    const found = ['espi/', 'eddie/green-button/'].flatMap((part) =>
      readdirSync(folder + part)
        .filter((name) => name.endsWith('.xml'))
        .map((name) => part + name),
    )
    expect(found.sort()).toEqual(Object.keys(feeds).sort())
  })

  test.each(Object.entries(feeds))('%s is read, or refused for its reason', async (name, expected) => {
    const stream = parseEspi(createReadStream(folder + name))
    if ('code' in expected) {
      await expect(collect(stream)).rejects.toSatisfy(
        (error) => isProblem(error) && error.code === expected.code && expected.reason.test(error.message),
      )
      return
    }
    const readings = await collect(stream)
    expect(readings).toHaveLength(expected.readings)
    expect(new Set(readings.map(({ unit }) => unit))).toEqual(new Set(['W.h']))
    expect(new Set(readings.map(({ direction }) => direction))).toEqual(new Set([expected.direction]))
    expect(fromMilli(sumMilli(readings))).toBe(expected.wh)
  })
})
