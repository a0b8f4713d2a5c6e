import { Problem } from '@tillit/problem'
import type { Tier } from '@tillit/schemas'

const secondsOfDay = 86_400
const calendarGranularities = ['P1D', 'P7D', 'P14D', 'P1M', 'P1Y'] as const
type CalendarGranularity = (typeof calendarGranularities)[number]

/** What each calendar granularity is summed from. Weeks cut months and years in two, so neither comes from the other. */
const derivedFrom: Record<CalendarGranularity, readonly CalendarGranularity[]> = {
  P1D: ['P1D'],
  P7D: ['P1D', 'P7D'],
  P14D: ['P1D', 'P7D', 'P14D'],
  P1M: ['P1D', 'P1M'],
  P1Y: ['P1D', 'P1M', 'P1Y'],
}
const nominalSeconds: Record<CalendarGranularity, number> = {
  P1D: secondsOfDay,
  P7D: 7 * secondsOfDay,
  P14D: 14 * secondsOfDay,
  P1M: 30 * secondsOfDay,
  P1Y: 365 * secondsOfDay,
}
const quarterOfAnHour = 900

/**
 * A granularity: either a part of the day (a whole number of seconds that divides 86,400; its windows restart at local
 * midnight) or a span of the local calendar. P7D are weeks from Monday, P14D pairs of weeks from Monday 5 January 1970.
 */
export type Granularity =
  | { readonly kind: 'part-of-day'; readonly text: string; readonly seconds: number }
  | { readonly kind: 'calendar'; readonly text: CalendarGranularity; readonly seconds: number }

/**
 * Parses a canonical ISO 8601 duration: PT1S to PT12H where it divides the day, P1D, P7D, P14D, P1M, P1Y. `seconds` is
 * nominal for calendar spans. Throws Problem invalid-granularity on anything else, PT60M and PT24H included.
 */
export function parseGranularity(text: string, pointer?: string): Granularity {
  const granularity = readGranularity(text)
  if (granularity) return granularity
  throw new Problem('invalid-granularity', {
    detail:
      'A granularity is a canonical ISO 8601 duration: a part of the day such as PT15M or PT1H, P1D, P7D, P14D, P1M or P1Y',
    ...(pointer === undefined ? {} : { pointer }),
  })
}

/** As parseGranularity, but gives null where that throws. */
export function readGranularity(text: string): Granularity | null {
  const calendar = calendarGranularities.find((known) => known === text)
  if (calendar) return { kind: 'calendar', text: calendar, seconds: nominalSeconds[calendar] }
  const parts = /^PT(?:([1-9]\d?)H)?(?:([1-9]\d?)M)?(?:([1-9]\d?)S)?$/.exec(text)
  if (!parts) return null
  const seconds = Number(parts[1] ?? 0) * 3600 + Number(parts[2] ?? 0) * 60 + Number(parts[3] ?? 0)
  if (seconds === 0 || seconds >= secondsOfDay || secondsOfDay % seconds !== 0) return null
  return partOfDayText(seconds) === text ? { kind: 'part-of-day', text, seconds } : null
}

/** The granularity of a number of seconds below a day. Throws Problem invalid-granularity when it does not divide the day. */
export function granularityOfSeconds(seconds: number): Granularity {
  return parseGranularity(seconds === secondsOfDay ? 'P1D' : partOfDayText(seconds))
}

/** Whether values at `coarse` can be summed exactly from values at `fine`. Reflexive; PT20M is not derivable from PT15M. */
export function derivable(coarse: Granularity, fine: Granularity): boolean {
  if (coarse.kind === 'calendar') return fine.kind === 'part-of-day' || derivedFrom[coarse.text].includes(fine.text)
  return fine.kind === 'part-of-day' && coarse.seconds % fine.seconds === 0
}

/** The finest granularity that is derivable from both, or null when there is none ("nothing"): weeks and months. */
export function commonCoarsening(a: Granularity, b: Granularity): Granularity | null {
  if (derivable(a, b)) return a
  if (derivable(b, a)) return b
  if (a.kind !== 'part-of-day' || b.kind !== 'part-of-day') return null
  return granularityOfSeconds((a.seconds / greatestCommonDivisor(a.seconds, b.seconds)) * b.seconds)
}

/** The tier of a granularity delivered as history (T1 to T4); T0 and T5 come from the form and the delivery of a scope. */
export function granularityTier(granularity: Granularity): Exclude<Tier, 'T0' | 'T5'> {
  if (granularity.seconds >= nominalSeconds.P14D) return 'T1'
  if (granularity.seconds >= secondsOfDay) return 'T2'
  return granularity.seconds >= quarterOfAnHour ? 'T3' : 'T4'
}

function partOfDayText(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return `PT${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${rest ? `${rest}S` : ''}`
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
