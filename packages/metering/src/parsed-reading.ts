import { Problem } from '@tillit/problem'
import type { BatchClaims, Reading } from '@tillit/schemas'
import type { SeriesReading } from './aggregate.ts'
import { fromMilli, toMilli } from './milli.ts'

/** What a file's reading says, and the line where it stands. */
export interface ParsedReading extends SeriesReading {
  readonly product: BatchClaims['product']
  readonly direction: BatchClaims['direction']
  /** UCUM, for example W.h. */
  readonly unit: string
  readonly line: number
}

/** Readings as they stream out of a file; the counts are complete when the iteration has ended. */
export interface ReadingStream extends AsyncIterable<ParsedReading> {
  readonly counts: Readonly<StreamCounts>
}

export interface StreamCounts {
  readings: number
  /** Exact repetitions that were left out. */
  duplicates: number
}

export type Chunks = AsyncIterable<string | Uint8Array>

/** The wire form: value in units, start in UTC. */
export function toWireReading(reading: SeriesReading): Reading {
  return {
    start: new Date(reading.startMs).toISOString(),
    duration_seconds: reading.durationSeconds,
    value: fromMilli(reading.valueMilli),
    quality: reading.quality,
  }
}

/** Throws Problem invalid-reading when the start is no instant or not on a whole second. */
export function fromWireReading(reading: Reading): SeriesReading {
  const startMs = Date.parse(reading.start)
  if (!Number.isSafeInteger(startMs) || startMs % 1000 !== 0)
    throw new Problem('invalid-reading', { detail: 'A reading starts on a whole second', pointer: '/start' })
  return {
    startMs,
    durationSeconds: reading.duration_seconds,
    valueMilli: toMilli(reading.value),
    quality: reading.quality,
  }
}

/** Repeats of the last reading are dropped when equal; anything else that does not come after it is refused. */
export function isRepeat(reading: ParsedReading, last: ParsedReading | undefined): boolean {
  if (!last || reading.startMs >= last.startMs + last.durationSeconds * 1000) return false
  if (reading.startMs !== last.startMs || reading.durationSeconds !== last.durationSeconds)
    throw atLine(reading.line, 'invalid-reading', 'The reading starts before the one above it ends')
  if (reading.valueMilli !== last.valueMilli || reading.quality !== last.quality)
    throw atLine(reading.line, 'conflicting-reading', 'Another value stands above for the same interval')
  return true
}

export function atLine(
  line: number,
  code: 'invalid-reading' | 'conflicting-reading' | 'invalid-file',
  detail: string,
): Problem {
  return new Problem(code, { detail: `Line ${line}: ${detail}`, pointer: `line:${line}` })
}
