import { fromBase64url, fromUtf8, toBase64url, toHex, utf8 } from '@tillit/codec'
import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { Opening, Permission, PermissionEvent, PermissionList, PermissionState } from '@tillit/schemas'
import type { Static } from 'typebox'
import { permissionView } from './permission-view.ts'
import type { Store } from './store.ts'
import type { EventRow, PermissionRow } from './tables.ts'

const defaultLimit = 50

/** Those of the caller, newest first: a customer's answered and waiting ones, or a party's own. */
export async function listPermissions(
  query: { state?: PermissionState; limit?: number; cursor?: string },
  { store, caller, now }: { store: Store; caller: Caller; now: Date },
): Promise<Static<typeof PermissionList>> {
  const limit = query.limit ?? defaultLimit
  const after = query.cursor === undefined ? null : readCursor(query.cursor)
  const page = { state: query.state ?? null, after, limit: limit + 1 }
  const rows =
    caller.kind === 'customer'
      ? await store.listOfCustomer(caller.id, { ...page, now })
      : await store.listOfParty(caller.id, page)
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return {
    permissions: await withPoints(shown, { store, caller }),
    ...(last === undefined ? {} : { next: writeCursor(last) }),
  }
}

/** Throws Problem not-found, also for a permission of others. */
export async function readPermission(id: string, access: Access): Promise<Permission> {
  const row = await findReadable(id, access)
  const [permission] = await withPoints([row], access)
  if (!permission) throw new Problem('not-found')
  return permission
}

export async function listEvents(id: string, access: Access): Promise<PermissionEvent[]> {
  await findReadable(id, access)
  return (await access.store.listEvents(id)).map(({ entry }) => entry)
}

/** What opens the event's leaf in the log. Throws Problem not-found, and salt-erased once nothing opens it any more. */
export async function readEventReceipt(id: string, seq: number, access: Access): Promise<Opening> {
  await findReadable(id, access)
  const event = await access.store.findEvent(id, seq)
  if (!event) throw new Problem('not-found')
  if (event.salt === null) throw new Problem('salt-erased')
  return openingOf(event, event.salt)
}

interface Access {
  store: Store
  caller: Caller
  now: Date
}

/** The party, those to whom it was passed on, the customer who answered and the one who may answer; nobody else. */
async function findReadable(id: string, { store, caller, now }: Access): Promise<PermissionRow> {
  const row = await store.findPermission(id)
  if (!row) throw new Problem('not-found')
  const readable =
    caller.kind === 'customer'
      ? row.customer_id === caller.id || (await store.findAnswerable(id, caller.id, now)) !== null
      : row.party_did === caller.id ||
        (await store.listDelegations(id)).some(({ delegatee_did }) => delegatee_did === caller.id)
  if (!readable) throw new Problem('not-found')
  return row
}

/** Only a customer sees which of their metering points a waiting request is about: a party must not learn that it exists. */
async function withPoints(
  rows: PermissionRow[],
  { store, caller }: { store: Store; caller: Caller },
): Promise<Permission[]> {
  if (caller.kind !== 'customer') return rows.map((row) => permissionView(row))
  const points = await store.findPointIds([...new Set(rows.map(({ gsrn }) => gsrn))])
  return rows.map((row) => permissionView(row, row.metering_point_id ?? points.get(row.gsrn) ?? null))
}

function openingOf({ entry, commitment }: EventRow, salt: Buffer): Opening {
  return { kind: 'permission-event', entry: { ...entry }, salt: toBase64url(salt), commitment: toHex(commitment) }
}

function writeCursor({ created_at, id }: PermissionRow): string {
  return toBase64url(utf8(`${created_at.getTime()} ${id}`))
}

function readCursor(cursor: string): { createdAt: Date; id: string } {
  const [time, id] = fromUtf8(fromBase64url(cursor)).split(' ')
  const milliseconds = Number(time)
  if (id === undefined || !Number.isSafeInteger(milliseconds) || Math.abs(milliseconds) > 8.64e15)
    throw new Problem('invalid-request', { detail: 'The cursor is not one of ours', pointer: 'cursor' })
  return { createdAt: new Date(milliseconds), id }
}
