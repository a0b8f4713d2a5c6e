/** A day of the calendar as the number of days since 1970-01-01, whatever the time zone. */
export type DayNumber = number

export const dayMs = 86_400_000

/** 1970-01-05: weeks start on Monday (ISO 8601), and fortnights are counted from this one. */
const firstMonday: DayNumber = 4

export function dayNumber(year: number, month: number, day: number): DayNumber {
  return Math.floor(Date.UTC(year, month - 1, day) / dayMs)
}

/** The Monday, at or before the day, that starts its run of `weeks` weeks. */
export function startOfWeeks(day: DayNumber, weeks: number): DayNumber {
  const length = weeks * 7
  return day - ((((day - firstMonday) % length) + length) % length)
}

/** The first day of the run of `months` months (counted from January) that holds the day. */
export function startOfMonths(day: DayNumber, months: number): DayNumber {
  const date = new Date(day * dayMs)
  const month = date.getUTCMonth()
  return dayNumber(date.getUTCFullYear(), month - (month % months) + 1, 1)
}

/** The same day of the month, `months` later; meant for first days of months. */
export function addMonths(day: DayNumber, months: number): DayNumber {
  const date = new Date(day * dayMs)
  return dayNumber(date.getUTCFullYear(), date.getUTCMonth() + 1 + months, date.getUTCDate())
}
