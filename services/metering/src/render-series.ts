import { utf8 } from '@tillit/codec'
import { fromMilli, type WindowValue } from '@tillit/metering'
import type { ReadingSeries } from '@tillit/schemas'

export type SeriesFormat = 'application/json' | 'text/csv'

export type SeriesHead = Omit<ReadingSeries, 'readings'>

/** The exact bytes of a response: what the access record's digest is made of. */
export function renderSeries(head: SeriesHead, windows: readonly WindowValue[], format: SeriesFormat): Uint8Array {
  return utf8(format === 'text/csv' ? csv(windows) : JSON.stringify({ ...head, readings: windows.map(reading) }))
}

function csv(windows: readonly WindowValue[]): string {
  const rows = windows.map((window) => Object.values(reading(window)).join(','))
  return `${['start,end,value,quality,coverage', ...rows].join('\r\n')}\r\n`
}

function reading({ startMs, endMs, valueMilli, quality, coverage }: WindowValue): ReadingSeries['readings'][number] {
  return {
    start: instantText(startMs),
    end: instantText(endMs),
    value: fromMilli(valueMilli),
    quality,
    coverage: Math.round(coverage * 1e6) / 1e6,
  }
}

export function instantText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}
