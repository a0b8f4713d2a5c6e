import type { Quality } from '@tillit/schemas'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aggregate, type SeriesReading } from './aggregate.ts'
import { localDayBounds } from './time-zone.ts'

const quarter = 900

const zone = fc.constantFrom('Europe/London', 'Europe/Oslo', 'Australia/Lord_Howe', 'UTC')
const quality = fc.constantFrom<Quality>('measured', 'adjusted', 'estimated')

/** Quarter hours with holes, over two months around a change of clocks or not. */
const series = fc
  .record({
    day: fc.integer({ min: 19_000, max: 20_000 }),
    values: fc.array(fc.option(fc.record({ milli: fc.nat(10_000_000), quality }), { freq: 8 }), {
      minLength: 96,
      maxLength: 6000,
      size: 'max',
    }),
  })
  .map(({ day, values }) =>
    values.flatMap((value, i): SeriesReading[] =>
      value === null
        ? []
        : [
            {
              startMs: day * 86_400_000 + i * quarter * 1000,
              durationSeconds: quarter,
              valueMilli: value.milli,
              quality: value.quality,
            },
          ],
    ),
  )
  .filter((readings) => readings.length > 0)

const span = { fromMs: Date.parse('2021-01-01T00:00:00Z'), toMs: Date.parse('2026-01-01T00:00:00Z') }
const sum = (values: Iterable<{ valueMilli: number }>) => [...values].reduce((total, v) => total + v.valueMilli, 0)

test('the sum is the same at every granularity, in every zone', () => {
  fc.assert(
    fc.property(series, zone, (readings, timeZone) => {
      const total = sum(readings)
      for (const granularity of ['PT15M', 'PT30M', 'PT1H', 'P1D', 'P7D', 'P14D', 'P1M', 'P1Y'])
        expect(sum(aggregate(readings, { ...span, granularity, timeZone }))).toBe(total)
    }),
    { numRuns: 25 },
  )
})

test('a chain of granularities gives what one step gives', () => {
  fc.assert(
    fc.property(series, zone, (readings, timeZone) => {
      const direct = [...aggregate(readings, { ...span, granularity: 'P1M', timeZone })]
      let current: SeriesReading[] = readings
      for (const granularity of ['PT30M', 'PT1H', 'P1D', 'P1M'])
        current = [...aggregate(current, { ...span, granularity, timeZone })].map((window) => ({
          ...window,
          durationSeconds: (window.endMs - window.startMs) / 1000,
        }))
      expect(current.map(({ startMs, valueMilli, quality }) => ({ startMs, valueMilli, quality }))).toEqual(
        direct.map(({ startMs, valueMilli, quality }) => ({ startMs, valueMilli, quality })),
      )
    }),
    { numRuns: 25 },
  )
})

test('shifting the edges of what is asked never changes a window that stays whole', () => {
  fc.assert(
    fc.property(series, zone, fc.nat(86_400), fc.nat(86_400), (readings, timeZone, later, earlier) => {
      const first = readings[0]?.startMs ?? 0
      const asked = { granularity: 'P1D', timeZone, fromMs: first - 86_400_000, toMs: first + 20 * 86_400_000 }
      const whole = new Map([...aggregate(readings, asked)].map((window) => [window.startMs, window]))
      const narrowed = { ...asked, fromMs: asked.fromMs + later * 1000, toMs: asked.toMs - earlier * 1000 }
      for (const window of aggregate(readings, narrowed)) expect(window).toEqual(whole.get(window.startMs))
    }),
    { numRuns: 50 },
  )
})

test('quality is the worst one, coverage the share that is known', () => {
  const { startMs, endMs } = localDayBounds('Europe/London', Date.parse('2013-10-27T12:00:00Z'))
  const reading = (hour: number, quality: Quality): SeriesReading => ({
    startMs: startMs + hour * 3_600_000,
    durationSeconds: 3600,
    valueMilli: 1000,
    quality,
  })
  const options = { granularity: 'P1D', timeZone: 'Europe/London', fromMs: startMs, toMs: endMs }
  const [day] = aggregate([reading(0, 'measured'), reading(1, 'estimated'), reading(2, 'adjusted')], options)
  expect(day).toEqual({ startMs, endMs, valueMilli: 3000, quality: 'estimated', coverage: 3 / 25 })
  const [gap] = aggregate([reading(0, 'measured'), reading(1, 'missing')], options)
  expect(gap).toEqual({ startMs, endMs, valueMilli: 1000, quality: 'missing', coverage: 1 / 25 })
})

test('a reading that is coarser than the window, or lies across its edge, counts for none', () => {
  const day: SeriesReading = { startMs: 0, durationSeconds: 86_400, valueMilli: 24_000, quality: 'measured' }
  const options = { timeZone: 'UTC', fromMs: 0, toMs: 172_800_000 }
  expect([...aggregate([day], { ...options, granularity: 'PT1H' })]).toEqual([])
  expect([...aggregate([{ ...day, startMs: 3_600_000 }], { ...options, granularity: 'P1D' })]).toEqual([])
})

test('powers are averaged over time, not summed', () => {
  const power = (startMs: number, durationSeconds: number, valueMilli: number): SeriesReading => ({
    startMs,
    durationSeconds,
    valueMilli,
    quality: 'measured',
  })
  const options = { granularity: 'PT1H', timeZone: 'UTC', fromMs: 0, toMs: 3_600_000, method: 'mean' } as const
  const [window] = aggregate([power(0, 900, 1000), power(900_000, 2700, 2000)], options)
  expect(window?.valueMilli).toBe(1750)
})

test('a sum that would not be exact is refused', () => {
  const huge = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => ({
    startMs: i * 900_000,
    durationSeconds: 900,
    valueMilli: 1e15,
    quality: 'measured' as const,
  }))
  expect(() => [...aggregate(huge, { granularity: 'P1D', timeZone: 'UTC', fromMs: 0, toMs: 86_400_000 })]).toThrow(
    /too large/,
  )
})
