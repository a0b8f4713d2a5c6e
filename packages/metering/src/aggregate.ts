import type { Quality } from '@tillit/schemas'
import { addMilli } from './milli.ts'
import { type Interval, type WindowOptions, windows } from './windows.ts'

/** One interval of a stream: value in thousandths of the stream's unit. */
export interface SeriesReading {
  readonly startMs: number
  readonly durationSeconds: number
  readonly valueMilli: number
  readonly quality: Quality
}

/** What the readings within one window come to. */
export interface WindowValue extends Interval {
  readonly valueMilli: number
  /** The worst among its readings: measured, adjusted, estimated, missing. */
  readonly quality: Quality
  /** Share of the window (0 to 1) that readings other than `missing` cover. */
  readonly coverage: number
}

export interface AggregateOptions extends WindowOptions {
  /** Energies are summed; powers, voltages and currents averaged over the time covered. */
  method?: 'sum' | 'mean'
  /**
   * Only windows that readings (`missing` ones too) fill. A window that is given while its readings still come in shows
   * each of them as the difference of two answers.
   */
  filledOnly?: boolean
}

const qualityOrder: readonly Quality[] = ['measured', 'adjusted', 'estimated', 'missing']

/** The worse of two qualities. */
export function worseQuality(a: Quality, b: Quality): Quality {
  return qualityOrder.indexOf(a) >= qualityOrder.indexOf(b) ? a : b
}

/** How readings of a product come together. */
export function methodOf(product: string): 'sum' | 'mean' {
  return product === 'active_energy' || product === 'reactive_energy' ? 'sum' : 'mean'
}

/**
 * Brings readings (sorted by start, not overlapping) to a coarser granularity on the local calendar. Lazy.
 *
 * - Only windows wholly within [from, to) are given. A partly asked window at an edge is left out: two reads with shifted
 *   edges would otherwise differ by exactly the fine interval that the reader may not see.
 * - A reading counts for a window only when it lies wholly within it; no value is ever split. Readings coarser than the
 *   window therefore give nothing, and energy is neither invented nor counted twice.
 * - A window in which there is no reading is left out; a reading of quality `missing` makes it appear with that quality.
 * - Energies are summed as integers, so the sum over any finer windows equals the sum over the coarser ones.
 *
 * Throws Problem invalid-granularity, invalid-time-zone, or invalid-reading when a sum is too large to be exact.
 */
export function* aggregate(readings: Iterable<SeriesReading>, options: AggregateOptions): Generator<WindowValue> {
  const source = readings[Symbol.iterator]()
  try {
    let current = source.next()
    for (const window of windows(options)) {
      const inside: SeriesReading[] = []
      while (!current.done && current.value.startMs < window.endMs) {
        const reading = current.value
        if (reading.startMs >= window.startMs && endOf(reading) <= window.endMs) inside.push(reading)
        current = source.next()
      }
      if (inside.length > 0 && (!options.filledOnly || isFilled(window, inside)))
        yield combine(window, inside, options.method ?? 'sum')
      if (current.done) return
    }
  } finally {
    source.return?.()
  }
}

function combine(window: Interval, inside: SeriesReading[], method: 'sum' | 'mean'): WindowValue {
  let valueMilli = 0
  let weighted = 0n
  let coveredSeconds = 0
  let quality: Quality = 'measured'
  for (const reading of inside) {
    quality = worseQuality(quality, reading.quality)
    if (reading.quality === 'missing') continue
    coveredSeconds += reading.durationSeconds
    if (method === 'sum') valueMilli = addMilli(valueMilli, reading.valueMilli)
    else weighted += BigInt(reading.valueMilli) * BigInt(reading.durationSeconds)
  }
  if (method === 'mean' && coveredSeconds > 0) valueMilli = Math.round(Number(weighted) / coveredSeconds)
  const coverage = Math.min(1, (coveredSeconds * 1000) / (window.endMs - window.startMs))
  return { ...window, valueMilli, quality, coverage }
}

function isFilled({ startMs, endMs }: Interval, inside: readonly SeriesReading[]): boolean {
  return inside.reduce((sum, { durationSeconds }) => sum + durationSeconds * 1000, 0) >= endMs - startMs
}

function endOf(reading: SeriesReading): number {
  return reading.startMs + reading.durationSeconds * 1000
}
