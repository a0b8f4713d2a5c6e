import { granularityOfSeconds } from '@tillit/policy'

/** Longest length, in seconds, that an interval of each calendar granularity has: an hour more where clocks go back. */
const calendarSeconds: [granularity: string, longestSeconds: number][] = [
  ['P1D', 90_000],
  ['P7D', 608_400],
  ['P14D', 1_213_200],
  ['P1M', 2_682_000],
  ['P1Y', 31_626_000],
]

const daySeconds = 86_400

/** Shortest length that counts as a day: 22.5 hours, as the day of 23 hours is one. */
const shortestDaySeconds = 81_000

/** How a stream is stored within a span: there is nothing finer than `finest`, and all of it is there at `coarsest`. */
export interface StoredResolution {
  /** Null, as `coarsest`, when the interval is as long as no granularity. */
  finest: string | null
  coarsest: string | null
}

/** From the shortest and the longest interval stored within the span, in seconds; null when nothing is. */
export function storedResolution(lengths: { shortest: number; longest: number } | null): StoredResolution | null {
  return (
    lengths && { finest: granularityOfDuration(lengths.shortest), coarsest: granularityOfDuration(lengths.longest) }
  )
}

/** The granularity whose windows can be as long as this; days of 23 and 25 hours are days. */
export function granularityOfDuration(seconds: number): string | null {
  if (seconds < shortestDaySeconds) return daySeconds % seconds === 0 ? granularityOfSeconds(seconds).text : null
  return calendarSeconds.find(([, longest]) => seconds <= longest)?.[0] ?? null
}
