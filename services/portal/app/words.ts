import { CityError } from '@tillit/client'

const granularities: Record<string, string> = {
  PT1M: 'a value for each minute',
  PT5M: 'a value for every 5 minutes',
  PT15M: 'quarter-hourly values',
  PT30M: 'half-hourly values',
  PT1H: 'hourly values',
  P1D: 'daily values',
  P7D: 'weekly values',
  P14D: 'two-weekly values',
  P1M: 'monthly values',
  P1Y: 'yearly values',
}

/** "hourly values"; an unknown duration is shown as it is rather than guessed at. */
export function granularityWords(granularity: string): string {
  return granularities[granularity] ?? `values of ${granularity}`
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

export function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString('en-GB')} ${number === 1 ? one : many}`
}

export function moment(instant: string, timeZone?: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'medium',
    timeStyle: 'short',
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(instant))
}

export function day(instant: string, timeZone?: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'medium',
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(instant))
}

/** What went wrong, and what to do about it. */
export function errorWords(error: unknown): string {
  if (error instanceof CityError) {
    if (error.code === 'not-signed-in') return 'Your sign-in has ended. Sign in again.'
    if (error.status >= 500) return `${error.message}. Try again in a moment.`
    return error.message
  }
  if (error instanceof TypeError) return 'The city cannot be reached. Check your connection and try again.'
  return error instanceof Error ? error.message : 'Something went wrong. Try again.'
}
