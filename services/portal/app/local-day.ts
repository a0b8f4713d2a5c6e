/** The UTC instant at which a calendar day begins in the zone. `date` is YYYY-MM-DD. */
export function startOfDay(date: string, timeZone: string): Date {
  const asUtc = Date.parse(`${date}T00:00:00Z`)
  // The offset at UTC midnight may be another than at local midnight, so the guess is corrected once.
  const guess = asUtc - offset(new Date(asUtc), timeZone)
  return new Date(asUtc - offset(new Date(guess), timeZone))
}

/** The calendar day in the zone, YYYY-MM-DD. */
export function localDate(instant: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone }).format(instant)
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

/** What the zone's clock is ahead of UTC, in milliseconds. */
function offset(instant: Date, timeZone: string): number {
  const text = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone }).format(instant)
  return Date.parse(`${text.replace(' ', 'T')}Z`) - Math.floor(instant.getTime() / 1000) * 1000
}
