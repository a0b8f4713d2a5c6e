import type { AccessRecord } from '@tillit/schemas'

export interface RecordPage {
  access_records: AccessRecord[]
  next?: string
}

/** The newest page, read again, in front of what was loaded before. With a gap between the two only the newest is kept. */
export function withNewest(loaded: RecordPage | null, newest: RecordPage): RecordPage {
  const ids = new Set(newest.access_records.map(({ id }) => id))
  const known = loaded?.access_records ?? []
  if (loaded === null || !known.some(({ id }) => ids.has(id))) return newest
  return { ...loaded, access_records: [...newest.access_records, ...known.filter(({ id }) => !ids.has(id))] }
}

/** The page that comes after what was loaded, behind it. */
export function withOlder(loaded: RecordPage | null, older: RecordPage): RecordPage {
  const known = loaded?.access_records ?? []
  const ids = new Set(known.map(({ id }) => id))
  return { ...older, access_records: [...known, ...older.access_records.filter(({ id }) => !ids.has(id))] }
}
