import { instantsOf } from './time-zone.ts'

/** What a time stamp can mean: no instant (a time that the clock skips), one, or two (a time shown twice). */
export type Stamp = { instantsMs: readonly number[] }

/**
 * Parses `2013-01-01 00:30[:00]`, with `T` or a space, with `Z`, an offset, or neither: then it is the zone's wall time.
 * Gives undefined when the text is no time stamp or the day does not exist.
 */
export function parseStamp(text: string, timeZone: string): Stamp | undefined {
  const match =
    /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.0{1,9})?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/.exec(text)
  if (!match) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const wallMs = Date.UTC(year, month - 1, day, hour, minute, second)
  const date = new Date(wallMs)
  // Date.UTC carries 31 February and 25:00 over into later days; a stamp that does not come back unchanged is no stamp.
  const unchanged =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  if (!unchanged) return undefined
  const zone = match[7]
  if (zone === undefined) return { instantsMs: instantsOf(timeZone, wallMs) }
  return { instantsMs: [wallMs - offsetOf(zone)] }
}

function offsetOf(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return minutes * 60_000 * (zone.startsWith('-') ? -1 : 1)
}
