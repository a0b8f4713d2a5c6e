import { Problem } from '@tillit/problem'
import { addMonths, type DayNumber, startOfMonths, startOfWeeks } from './civil-date.ts'
import { checkTimeZone, localDay, startOfLocalDay } from './time-zone.ts'

/** Half open, in milliseconds since 1970. */
export interface Interval {
  readonly startMs: number
  readonly endMs: number
}

export interface WindowOptions {
  /** Canonical ISO 8601 duration: a part of a day (PT15M, PT1H, …) or P1D, P7D, P14D, P1M, P1Y. */
  granularity: string
  /** IANA name of the zone whose calendar counts. */
  timeZone: string
  fromMs: number
  toMs: number
}

interface Step {
  /** Length in seconds of a part of a day; undefined when a window is one day or more. */
  seconds?: number
  floor: (day: DayNumber) => DayNumber
  next: (day: DayNumber) => DayNumber
}

const daySeconds = 86_400

const calendarSteps: Record<string, Step> = {
  P1D: { floor: (day) => day, next: (day) => day + 1 },
  P7D: { floor: (day) => startOfWeeks(day, 1), next: (day) => day + 7 },
  P14D: { floor: (day) => startOfWeeks(day, 2), next: (day) => day + 14 },
  P1M: { floor: (day) => startOfMonths(day, 1), next: (day) => addMonths(day, 1) },
  P1Y: { floor: (day) => startOfMonths(day, 12), next: (day) => addMonths(day, 12) },
}

/**
 * The windows of a granularity on the zone's local calendar that lie wholly within [from, to), in order. All windows of a
 * granularity together partition time. Weeks start on Monday, fortnights on every second Monday counted from 1970-01-05.
 * Parts of a day are counted in elapsed time from local midnight, so a day of 23 hours has 23 hours; where a change of clocks
 * leaves a rest, it belongs to the day's last window: a window that is shorter than its granularity would show more than
 * was allowed. Lazy. Throws Problem invalid-granularity or invalid-time-zone.
 */
export function* windows({ granularity, timeZone, fromMs, toMs }: WindowOptions): Generator<Interval> {
  const step = stepOf(granularity)
  checkTimeZone(timeZone)
  let day = step.floor(localDay(timeZone, fromMs))
  let startMs = startOfLocalDay(timeZone, day)
  while (startMs < toMs) {
    day = step.next(day)
    const endMs = startOfLocalDay(timeZone, day)
    if (step.seconds === undefined) {
      if (startMs >= fromMs && endMs <= toMs && startMs < endMs) yield { startMs, endMs }
    } else yield* partsOf({ startMs, endMs }, step.seconds * 1000, { startMs: fromMs, endMs: toMs })
    startMs = endMs
  }
}

/** Throws Problem invalid-granularity unless `windows` knows the granularity. */
export function checkGranularity(granularity: string): void {
  stepOf(granularity)
}

/** Nominal length in seconds, to compare how fine granularities are: a month counts 30 days, a year 365. */
export function nominalSeconds(granularity: string): number {
  const nominalDays: Record<string, number> = { P1D: 1, P7D: 7, P14D: 14, P1M: 30, P1Y: 365 }
  return stepOf(granularity).seconds ?? (nominalDays[granularity] ?? 0) * daySeconds
}

function* partsOf(day: Interval, partMs: number, within: Interval): Generator<Interval> {
  const lastStartMs = day.startMs + Math.max(0, Math.floor((day.endMs - day.startMs) / partMs) - 1) * partMs
  const skipped = Math.max(0, Math.ceil((within.startMs - day.startMs) / partMs))
  for (let startMs = day.startMs + skipped * partMs; startMs <= lastStartMs; startMs += partMs) {
    const endMs = startMs === lastStartMs ? day.endMs : startMs + partMs
    if (endMs > within.endMs) return
    yield { startMs, endMs }
  }
}

function stepOf(granularity: string): Step {
  const calendar = Object.hasOwn(calendarSteps, granularity) ? calendarSteps[granularity] : undefined
  if (calendar) return calendar
  const seconds = partOfDaySeconds(granularity)
  if (seconds === undefined)
    throw new Problem('invalid-granularity', {
      detail: 'The granularity is none of PT1S to PT12H (a whole part of a day), P1D, P7D, P14D, P1M, P1Y',
      pointer: 'granularity',
    })
  return { seconds, floor: (day) => day, next: (day) => day + 1 }
}

/** Canonical only: PT60M is written PT1H, PT24H is written P1D. */
function partOfDaySeconds(granularity: string): number | undefined {
  const match = /^PT(?:([1-9]\d?)H)?(?:([1-9]\d?)M)?(?:([1-9]\d?)S)?$/.exec(granularity)
  if (!match) return undefined
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0))
  const total = hours * 3600 + minutes * 60 + seconds
  const dividesTheDay = total > 0 && total < daySeconds && daySeconds % total === 0
  return dividesTheDay && minutes < 60 && seconds < 60 ? total : undefined
}
