const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Milliseconds since 1970 of an RFC 3339 instant, or null. Leap seconds are refused; finer than a millisecond is cut off. */
export function readInstant(text: string): number | null {
  const parts = rfc3339.exec(text)
  if (!parts) return null
  const at = (index: number): number => Number(parts[index] ?? 0)
  const [year, month, day, hour, minute, second] = [at(1), at(2), at(3), at(4), at(5), at(6)]
  if (year < 1000 || year > 9998 || hour > 23 || minute > 59 || second > 59 || at(9) > 23 || at(10) > 59) return null
  const milliseconds = Number((parts[7] ?? '').padEnd(3, '0').slice(0, 3))
  const local = new Date(0)
  local.setUTCFullYear(year, month - 1, day)
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day) return null
  local.setUTCHours(hour, minute, second, milliseconds)
  const offsetMinutes = (parts[8] === '-' ? -1 : 1) * (at(9) * 60 + at(10))
  return local.getTime() - offsetMinutes * 60_000
}

/** The canonical text of an instant: UTC with `Z`, without a fraction when there is none. */
export function instantText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z')
}
