import { Problem } from '@tillit/problem'

/** Longest life or retention, in months and in days: a hundred years. */
const maxMonths = 1200
const maxDays = 36_525
/** The Gregorian calendar repeats after 400 years. */
const monthsInCycle = 4800

/**
 * How long something lasts or is kept: whole days or whole calendar months, never both. The two kinds compare only
 * where the answer is the same from every starting day (P30D is not within P1M, because February has 28).
 */
export interface Life {
  readonly unit: 'days' | 'months'
  readonly count: number
}

/** Parses PnD, PnW, PnM, PnY or PnYnM. Throws Problem invalid-scope. */
export function parseLife(text: string, pointer?: string): Life {
  const life = readLife(text)
  if (life) return life
  throw new Problem('invalid-scope', {
    detail: 'The time is not an ISO 8601 duration of whole days or whole months, at most a hundred years',
    ...(pointer === undefined ? {} : { pointer }),
  })
}

/** The one canonical text: P12M is P1Y, P1W is P7D, nothing is P0D. */
export function lifeText(life: Life): string {
  if (life.count === 0) return 'P0D'
  if (life.unit === 'days') return `P${life.count}D`
  const [years, months] = [Math.floor(life.count / 12), life.count % 12]
  return `P${years ? `${years}Y` : ''}${months ? `${months}M` : ''}`
}

/** Whether `a` ends no later than `b` from whichever day both start. A partial order. */
export function lifeWithin(a: Life, b: Life): boolean {
  if (a.unit === b.unit) return a.count <= b.count
  return longestDays(a) <= shortestDays(b)
}

/** The longest life within both. */
export function commonLife(a: Life, b: Life): Life {
  if (lifeWithin(a, b)) return a
  if (lifeWithin(b, a)) return b
  // Incomparable, so one is in months and its shortest run of days is below the other: that many days fit in both.
  return { unit: 'days', count: Math.min(shortestDays(a), shortestDays(b)) }
}

/** The instant a life ends that begins at `start`, in UTC; the 31st plus a month is the last day of that month. */
export function addLife(start: Date, life: Life): Date {
  const end = new Date(start)
  if (life.unit === 'days') end.setUTCDate(end.getUTCDate() + life.count)
  else {
    end.setUTCDate(1)
    end.setUTCMonth(end.getUTCMonth() + life.count)
    const lastDay = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate()
    end.setUTCDate(Math.min(start.getUTCDate(), lastDay))
  }
  return end
}

function readLife(text: string): Life | null {
  const parts = /^P(?:(?:(\d{1,4})Y)?(?:(\d{1,4})M)?|(\d{1,5})D|(\d{1,4})W)$/.exec(text)
  if (!parts || text === 'P') return null
  const [years, months, days, weeks] = [parts[1], parts[2], parts[3], parts[4]]
  const life: Life =
    days === undefined && weeks === undefined
      ? { unit: 'months', count: Number(years ?? 0) * 12 + Number(months ?? 0) }
      : { unit: 'days', count: Number(days ?? 0) + 7 * Number(weeks ?? 0) }
  if (life.count > (life.unit === 'days' ? maxDays : maxMonths)) return null
  return life.count === 0 ? { unit: 'days', count: 0 } : life
}

function shortestDays(life: Life): number {
  return life.unit === 'days' ? life.count : runOfDays(life.count).shortest
}

function longestDays(life: Life): number {
  return life.unit === 'days' ? life.count : runOfDays(life.count).longest
}

const knownRuns = new Map<number, { shortest: number; longest: number }>()

/** The fewest and the most days that a number of months in a row can have, over the whole cycle of the calendar. */
function runOfDays(months: number): { shortest: number; longest: number } {
  const known = knownRuns.get(months)
  if (known) return known
  let [shortest, longest] = [Number.POSITIVE_INFINITY, 0]
  for (let first = 0; first < monthsInCycle; first++) {
    const days = (Date.UTC(2000, first + months, 1) - Date.UTC(2000, first, 1)) / 86_400_000
    shortest = Math.min(shortest, days)
    longest = Math.max(longest, days)
  }
  const run = { shortest, longest }
  knownRuns.set(months, run)
  return run
}
