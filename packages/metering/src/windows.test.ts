import fc from 'fast-check'
import { expect, test } from 'vitest'
import { localDayBounds } from './time-zone.ts'
import { windows } from './windows.ts'

const hour = 3_600_000
const granularities = ['PT15M', 'PT30M', 'PT1H', 'PT2H', 'PT8H', 'PT12H', 'P1D', 'P7D', 'P14D', 'P1M', 'P1Y']
const zones = [
  'UTC',
  'Europe/London',
  'Europe/Oslo',
  'Australia/Lord_Howe',
  'America/Havana',
  'Asia/Kathmandu',
  'Pacific/Apia',
]

const changes: [zone: string, noon: string, hours: number][] = [
  ['Europe/London', '2013-03-31T12:00:00Z', 23],
  ['Europe/London', '2013-10-27T12:00:00Z', 25],
  ['Europe/Oslo', '2026-03-29T12:00:00Z', 23],
  ['Europe/Oslo', '2026-10-25T12:00:00Z', 25],
  ['Australia/Lord_Howe', '2026-10-04T03:00:00Z', 23.5],
  ['Australia/Lord_Howe', '2026-04-05T03:00:00Z', 24.5],
  ['America/Havana', '2026-03-08T12:00:00Z', 23],
  ['America/Havana', '2026-11-01T12:00:00Z', 25],
  ['Africa/Cairo', '2023-04-28T12:00:00Z', 23],
  ['Asia/Beirut', '2022-03-27T12:00:00Z', 23],
]

test.each(changes)('the day of %s at %s has %d hours', (zone, noon, hours) => {
  const { startMs, endMs } = localDayBounds(zone, Date.parse(noon))
  expect((endMs - startMs) / hour).toBe(hours)
  const [day, none] = windows({ granularity: 'P1D', timeZone: zone, fromMs: startMs, toMs: endMs })
  expect(day).toEqual({ startMs, endMs })
  expect(none).toBeUndefined()
  const hourly = [...windows({ granularity: 'PT1H', timeZone: zone, fromMs: startMs, toMs: endMs })]
  expect(hourly).toHaveLength(Math.floor(hours))
})

test.each(changes)('on the day of %s at %s no window is shorter than its granularity', (timeZone, noon) => {
  const { startMs: fromMs, endMs: toMs } = localDayBounds(timeZone, Date.parse(noon))
  for (const hours of [1, 2, 3, 4, 6, 8, 12]) {
    const parts = [...windows({ granularity: `PT${hours}H`, timeZone, fromMs, toMs })]
    for (const { startMs, endMs } of parts) expect((endMs - startMs) / hour).toBeGreaterThanOrEqual(hours)
    expect([parts[0]?.startMs, parts.at(-1)?.endMs]).toEqual([fromMs, toMs])
  }
})

test('windows partition time: each ends where the next starts, whatever the zone', () => {
  const instant = fc.date({ min: new Date('1980-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...granularities),
      instant,
      (timeZone, granularity, date) => {
        const days = granularity.startsWith('PT') ? 4 : granularity === 'P1Y' ? 1500 : 90
        const fromMs = date.getTime()
        const toMs = fromMs + days * 24 * hour
        let last: number | undefined
        for (const { startMs, endMs } of windows({ granularity, timeZone, fromMs, toMs })) {
          expect(endMs).toBeGreaterThan(startMs)
          if (last !== undefined) expect(startMs).toBe(last)
          expect(startMs).toBeGreaterThanOrEqual(fromMs)
          expect(endMs).toBeLessThanOrEqual(toMs)
          last = endMs
        }
        expect(last).toBeDefined()
      },
    ),
    { numRuns: 300 },
  )
})

test('every window starts and ends on windows of each finer granularity', () => {
  const finerOf: [string, string][] = [
    ['PT15M', 'PT30M'],
    ['PT30M', 'PT1H'],
    ['PT1H', 'PT2H'],
    ['PT2H', 'PT6H'],
    ['PT6H', 'PT12H'],
    ['PT12H', 'P1D'],
    ['PT1H', 'P1D'],
    ['P1D', 'P7D'],
    ['P7D', 'P14D'],
    ['P1D', 'P1M'],
    ['P1M', 'P1Y'],
  ]
  const fromMs = Date.parse('2025-12-01T00:00:00Z')
  for (const timeZone of zones) {
    for (const [finer, coarser] of finerOf) {
      const days = finer.startsWith('PT') ? 130 : 800
      const span = { fromMs, toMs: fromMs + days * 24 * hour }
      const starts = new Set([...windows({ ...span, granularity: finer, timeZone })].map(({ startMs }) => startMs))
      const inner = [...windows({ ...span, granularity: coarser, timeZone })].slice(1)
      for (const { startMs } of inner) expect(starts.has(startMs)).toBe(true)
    }
  }
})

test('weeks start on Monday and the first month of 2026 is January in the zone', () => {
  const span = {
    timeZone: 'Europe/Oslo',
    fromMs: Date.parse('2025-12-15T00:00:00Z'),
    toMs: Date.parse('2026-03-15T00:00:00Z'),
  }
  for (const { startMs } of windows({ ...span, granularity: 'P7D' }))
    expect(new Date(startMs + 2 * hour).getUTCDay()).toBe(1)
  const months = [...windows({ ...span, granularity: 'P1M' })].map(({ startMs }) => new Date(startMs).toISOString())
  expect(months).toEqual(['2025-12-31T23:00:00.000Z', '2026-01-31T23:00:00.000Z'])
})

test('a day that the calendar skips has no window', () => {
  const span = { fromMs: Date.parse('2011-12-28T00:00:00Z'), toMs: Date.parse('2012-01-02T00:00:00Z') }
  const days = [...windows({ ...span, granularity: 'P1D', timeZone: 'Pacific/Apia' })]
  for (const { startMs, endMs } of days) expect(endMs - startMs).toBe(24 * hour)
})

test.each(['PT60M', 'PT24H', 'PT7M', 'PT5H', 'P2D', 'P1W', 'P0D', '', 'constructor', 'PT01H'])(
  '%j is no canonical granularity',
  (granularity) => {
    expect(() => [...windows({ granularity, timeZone: 'UTC', fromMs: 0, toMs: hour })]).toThrow(/granularity/)
  },
)

test.each(['Europe/Atlantis', '+02:00', '', '../etc', 'Europe/Oslo '])('%j is no time zone', (timeZone) => {
  expect(() => [...windows({ granularity: 'P1D', timeZone, fromMs: 0, toMs: hour })]).toThrow(/time zone/)
})
