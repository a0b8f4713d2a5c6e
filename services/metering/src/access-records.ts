import { fromBase64url, fromUtf8, toBase64url, utf8 } from '@tillit/codec'
import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { AccessRecord, Opening } from '@tillit/schemas'
import { openingOf } from './opening-of.ts'
import type { MeteringPorts } from './ports.ts'
import { createStore, type RecordFilter } from './store.ts'

export interface RecordsAsk {
  meteringPoint?: string | undefined
  caller?: string | undefined
  from?: Date | undefined
  to?: Date | undefined
  after?: string | undefined
  limit: number
}

/** The records that the caller may see, newest first. */
export async function listAccessRecords(
  { db }: MeteringPorts,
  caller: Caller,
  { after, limit, ...filter }: RecordsAsk,
): Promise<{ access_records: AccessRecord[]; next?: string }> {
  const before = after === undefined ? undefined : parseCursor(after)
  const rows = await createStore(db).accessRecords({
    ...filter,
    visibleTo: visibleTo(caller),
    before,
    limit: limit + 1,
  })
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return {
    access_records: rows.slice(0, limit).map(({ entry }) => entry),
    ...(last ? { next: toBase64url(utf8(`${last.at.getTime()} ${last.id}`)) } : {}),
  }
}

/** Throws Problem not-found for a record that does not exist or is none of the caller's. */
export async function readAccessRecord({ db }: MeteringPorts, caller: Caller, id: string): Promise<AccessRecord> {
  const row = await createStore(db).findAccessRecord(id, visibleTo(caller))
  if (!row) throw new Problem('not-found', { detail: 'No such access record' })
  return row.entry
}

/** What opens the record's leaf in the log. Throws Problem not-found, and salt-erased once nothing opens it any more. */
export async function readReceipt({ db }: MeteringPorts, caller: Caller, id: string): Promise<Opening> {
  const row = await createStore(db).findAccessRecord(id, visibleTo(caller))
  if (!row) throw new Problem('not-found', { detail: 'No such access record' })
  return openingOf('access-record', row)
}

function visibleTo({ kind, id }: Caller): RecordFilter['visibleTo'] {
  return { kind: kind === 'customer' ? 'customer' : 'organisation', id }
}

function parseCursor(text: string): { at: Date; id: string } {
  const [ms = '', id = ''] = fromUtf8(fromBase64url(text)).split(' ')
  if (!/^\d{1,15}$/.test(ms) || !id.startsWith('ar_'))
    throw new Problem('invalid-request', { detail: 'after is not a `next` of ours', pointer: 'after' })
  return { at: new Date(Number(ms)), id }
}
