import type { SeriesReading } from '@tillit/metering'
import type { Quality } from '@tillit/schemas'

/** What happens to each incoming reading of a stream, given what is stored. */
export interface Merge {
  insert: SeriesReading[]
  /** Stored estimates that a better value replaces. */
  replace: SeriesReading[]
  duplicates: number
  refused: { index: number; code: 'conflicting-reading'; detail: string }[]
}

/** Qualities that may be replaced, and by which. Everything else that differs is a conflict for people to settle. */
const provisional: readonly Quality[] = ['estimated', 'missing']
const final: readonly Quality[] = ['measured', 'adjusted']

/**
 * Sorts incoming readings (by start, not overlapping) into new ones, repeats, corrections and conflicts. `stored` holds every
 * stored reading that touches their span, by start. A repeat has the same interval and value. An estimated or missing
 * value is replaced by a measured or adjusted one. A reading that overlaps another interval is refused: it would be counted twice.
 */
export function mergeReadings(incoming: readonly SeriesReading[], stored: readonly SeriesReading[]): Merge {
  const merge: Merge = { insert: [], replace: [], duplicates: 0, refused: [] }
  let at = 0
  for (const [index, reading] of incoming.entries()) {
    while (at < stored.length && endOf(stored[at]) <= reading.startMs) at++
    const other = stored[at]
    if (other === undefined || other.startMs >= endOf(reading)) merge.insert.push(reading)
    else if (other.startMs !== reading.startMs || other.durationSeconds !== reading.durationSeconds)
      merge.refused.push({ index, code: 'conflicting-reading', detail: 'The interval overlaps a stored one' })
    else if (provisional.includes(other.quality) && final.includes(reading.quality)) merge.replace.push(reading)
    else if (other.valueMilli === reading.valueMilli) merge.duplicates++
    else merge.refused.push({ index, code: 'conflicting-reading', detail: 'Another value is stored for this interval' })
  }
  return merge
}

function endOf(reading: SeriesReading | undefined): number {
  return reading === undefined ? Number.POSITIVE_INFINITY : reading.startMs + reading.durationSeconds * 1000
}
