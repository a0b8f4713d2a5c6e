import type { SeriesReading } from '@tillit/metering'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeReadings } from './merge-readings.ts'

/** Readings of whole quarter hours with gaps, of mixed lengths, qualities and values: small domains, so that series meet. */
const series = fc
  .array(
    fc.record({
      gap: fc.nat(2),
      length: fc.integer({ min: 1, max: 3 }),
      value: fc.nat(1),
      quality: fc.constantFrom('measured' as const, 'estimated' as const, 'adjusted' as const, 'missing' as const),
    }),
    { maxLength: 12 },
  )
  .map((parts) => {
    let quarter = 0
    return parts.map(({ gap, length, value, quality }): SeriesReading => {
      const startMs = (quarter + gap) * 900_000
      quarter += gap + length
      return { startMs, durationSeconds: length * 900, valueMilli: value, quality }
    })
  })

const byStart = (a: SeriesReading, b: SeriesReading) => a.startMs - b.startMs

function store(stored: SeriesReading[], incoming: SeriesReading[]): SeriesReading[] {
  const { insert, replace } = mergeReadings(incoming, stored)
  const replaced = new Map(replace.map((reading) => [reading.startMs, reading]))
  return [...stored.map((reading) => replaced.get(reading.startMs) ?? reading), ...insert].sort(byStart)
}

test('what is stored never overlaps, whatever comes in', () => {
  fc.assert(
    fc.property(series, series, (stored, incoming) => {
      const merged = store(stored, incoming)
      for (const [i, reading] of merged.entries()) {
        const before = merged[i - 1]
        if (before) expect(reading.startMs).toBeGreaterThanOrEqual(before.startMs + before.durationSeconds * 1000)
      }
    }),
  )
})

test('every incoming reading is accounted for once, and the same again changes nothing', () => {
  fc.assert(
    fc.property(series, series, (stored, incoming) => {
      const first = mergeReadings(incoming, stored)
      expect(first.insert.length + first.replace.length + first.duplicates + first.refused.length).toBe(incoming.length)
      const merged = store(stored, incoming)
      const again = mergeReadings(incoming, merged)
      expect(again.insert).toEqual([])
      expect(store(merged, incoming)).toEqual(merged)
    }),
  )
})

test('a measured value is never replaced', () => {
  fc.assert(
    fc.property(series, series, (stored, incoming) => {
      const merged = store(stored, incoming)
      for (const reading of stored.filter(({ quality }) => quality === 'measured'))
        expect(merged).toContainEqual(reading)
    }),
  )
})
