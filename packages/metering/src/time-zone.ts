import { Problem } from '@tillit/problem'
import { type DayNumber, dayMs } from './civil-date.ts'

/** Offsets kept per zone, in UTC days (about 270 years); the cache starts over beyond it. */
const maxCachedDays = 100_000

/** Zones kept; there are about 600 names in the IANA database. */
const maxZones = 1000

interface Zone {
  readonly format: Intl.DateTimeFormat
  /** Offset by UTC day; NaN on a day that holds a change of clocks. */
  readonly offsetMsByDay: Map<DayNumber, number>
}

const zones = new Map<string, Zone>()

/** Throws Problem invalid-time-zone unless the runtime knows the name as an IANA zone (or UTC). Fixed offsets are refused. */
export function checkTimeZone(name: string): void {
  zoneOf(name)
}

/** How far the zone's clock is ahead of UTC at an instant, in milliseconds. Throws Problem invalid-time-zone. */
export function offsetMs(zoneName: string, instantMs: number): number {
  const zone = zoneOf(zoneName)
  const day = Math.floor(instantMs / dayMs)
  let offset = zone.offsetMsByDay.get(day)
  if (offset === undefined) {
    const first = formattedOffsetMs(zone.format, day * dayMs)
    // Clocks do not change twice within a day, so equal ends mean that the whole day has this offset.
    offset = first === formattedOffsetMs(zone.format, (day + 1) * dayMs) ? first : Number.NaN
    if (zone.offsetMsByDay.size >= maxCachedDays) zone.offsetMsByDay.clear()
    zone.offsetMsByDay.set(day, offset)
  }
  return Number.isNaN(offset) ? formattedOffsetMs(zone.format, instantMs) : offset
}

/** The calendar day on which an instant falls in the zone. */
export function localDay(zoneName: string, instantMs: number): DayNumber {
  return Math.floor((instantMs + offsetMs(zoneName, instantMs)) / dayMs)
}

/**
 * The instants at which the zone's clock shows `wallMs` (the wall time read as if it were UTC): one, two when the clock is
 * set back over it (earlier first), none when it is set forward over it.
 */
export function instantsOf(zoneName: string, wallMs: number): number[] {
  const before = wallMs - offsetMs(zoneName, wallMs - dayMs)
  const after = wallMs - offsetMs(zoneName, wallMs + dayMs)
  const candidates = before === after ? [before] : [before, after].sort((a, b) => a - b)
  return candidates.filter((instant) => instant + offsetMs(zoneName, instant) === wallMs)
}

/** The first instant of a calendar day: local midnight, or the change of clocks that skips it. */
export function startOfLocalDay(zoneName: string, day: DayNumber): number {
  const wallMs = day * dayMs
  const [first] = instantsOf(zoneName, wallMs)
  return first ?? firstInstantFrom(zoneName, wallMs)
}

/** Start and end of the calendar day that holds the instant; 23, 24 or 25 hours apart (or half an hour off). */
export function localDayBounds(zoneName: string, instantMs: number): { startMs: number; endMs: number } {
  const day = localDay(zoneName, instantMs)
  return { startMs: startOfLocalDay(zoneName, day), endMs: startOfLocalDay(zoneName, day + 1) }
}

/** The earliest instant whose wall time is `wallMs` or later, by bisection: only asked where midnight is skipped. */
function firstInstantFrom(zoneName: string, wallMs: number): number {
  let low = wallMs - dayMs
  let high = wallMs + dayMs
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (middle + offsetMs(zoneName, middle) >= wallMs) high = middle
    else low = middle
  }
  return high
}

function zoneOf(name: string): Zone {
  const known = zones.get(name)
  if (known) return known
  const zone = { format: formatOf(name), offsetMsByDay: new Map<DayNumber, number>() }
  if (zones.size >= maxZones) zones.clear()
  zones.set(name, zone)
  return zone
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  // `+02:00` would be taken by Intl, but a fixed offset has no local calendar: summer time would be lost.
  if (!/^[A-Za-z]/.test(timeZone)) throw unknownZone()
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (cause) {
    throw unknownZone(cause)
  }
}

function formattedOffsetMs(format: Intl.DateTimeFormat, instantMs: number): number {
  const part: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(instantMs)) part[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  const secondMs = Math.floor(instantMs / 1000) * 1000
  return Date.UTC(year, month - 1, day, hour, minute, second) - secondMs
}

function unknownZone(cause?: unknown): Problem {
  return new Problem('invalid-time-zone', { detail: 'The time zone is not an IANA name such as Europe/Oslo', cause })
}
