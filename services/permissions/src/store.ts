import { addToOutbox, type Database } from '@tillit/database'
import type { PermissionState } from '@tillit/schemas'
import { type Expression, type Insertable, type Kysely, sql } from 'kysely'
import type {
  CustomerKeyRow,
  DelegationRow,
  EventRow,
  PartyRow,
  PermissionRow,
  PermissionsTables,
  StatementRow,
} from './tables.ts'

/** How long an ending waits for reads that are under way before it gives up. */
const lockTimeoutSeconds = 15

/** More receipts than anybody puts into a wallet at once. */
const maxStatements = 200

export interface Page {
  state: PermissionState | null
  after: { createdAt: Date; id: string } | null
  limit: number
}

export type Reader = ReturnType<typeof readerOf>
export type Writer = ReturnType<typeof writerOf>
export type Store = ReturnType<typeof createStore>

/** All SQL of the service. Only a transaction hands out a writer. */
export function createStore(db: Database<PermissionsTables>) {
  return {
    ...readerOf(db),
    transaction: <T>(work: (writer: Writer) => Promise<T>): Promise<T> =>
      db.transaction().execute((trx) => work(writerOf(trx))),
    /** Several reads from one snapshot. */
    snapshot: <T>(work: (reader: Reader) => Promise<T>): Promise<T> =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute((trx) => work(readerOf(trx))),
  }
}

function readerOf(db: Kysely<PermissionsTables>) {
  return {
    findPermission: (id: string): Promise<PermissionRow | undefined> =>
      db.selectFrom('permissions.permissions').selectAll().where('id', '=', id).executeTakeFirst(),

    listOfParty: (did: string, page: Page): Promise<PermissionRow[]> =>
      listPage(db, sql<boolean>`p.party_did = ${did}`, page),

    /** What a customer answered, and what waits for their answer. */
    listOfCustomer: (customerId: string, { now, ...page }: Page & { now: Date }): Promise<PermissionRow[]> =>
      listPage(db, sql<boolean>`(p.customer_id = ${customerId} OR ${entitled(customerId, now)})`, page),

    /** Whether the permission waits for the answer of this customer: then the metering point, else null. */
    async findAnswerable(permissionId: string, customerId: string, now: Date): Promise<string | null> {
      const row = await db
        .selectFrom('permissions.permissions as p')
        .innerJoin('metering.metering_point_v1 as m', 'm.gsrn', 'p.gsrn')
        .select('m.id')
        .where('p.id', '=', permissionId)
        .where(entitled(customerId, now))
        .executeTakeFirst()
      return row?.id ?? null
    },

    async findPointIds(gsrns: string[]): Promise<Map<string, string>> {
      if (gsrns.length === 0) return new Map()
      const rows = await db
        .selectFrom('metering.metering_point_v1')
        .select(['gsrn', 'id'])
        .where('gsrn', 'in', gsrns)
        .execute()
      return new Map(rows.map(({ gsrn, id }) => [gsrn, id]))
    },

    findParty: (did: string): Promise<PartyRow | undefined> =>
      db.selectFrom('credentials.party_v1').selectAll().where('did', '=', did).executeTakeFirst(),

    listEvents: (permissionId: string): Promise<EventRow[]> =>
      db
        .selectFrom('permissions.permission_events')
        .selectAll()
        .where('permission_id', '=', permissionId)
        .orderBy('seq')
        .execute(),

    findEvent: (permissionId: string, seq: number): Promise<EventRow | undefined> =>
      db
        .selectFrom('permissions.permission_events')
        .selectAll()
        .where('permission_id', '=', permissionId)
        .where('seq', '=', seq)
        .executeTakeFirst(),

    findStatement: (sha256: string): Promise<StatementRow | undefined> =>
      db.selectFrom('permissions.statements').selectAll().where('sha256', '=', sha256).executeTakeFirst(),

    /** What a customer answered in that way, newest first; not without end. */
    listStatements: (customerId: string, action: StatementRow['action']): Promise<StatementRow[]> =>
      db
        .selectFrom('permissions.statements')
        .selectAll()
        .where('customer_id', '=', customerId)
        .where('action', '=', action)
        .orderBy('received_at', 'desc')
        .orderBy('sha256')
        .limit(maxStatements)
        .execute(),

    findKey: (did: string): Promise<CustomerKeyRow | undefined> =>
      db.selectFrom('permissions.customer_keys').selectAll().where('did', '=', did).executeTakeFirst(),

    listKeys: (customerId: string): Promise<CustomerKeyRow[]> =>
      db
        .selectFrom('permissions.customer_keys')
        .selectAll()
        .where('customer_id', '=', customerId)
        .orderBy('valid_from')
        .orderBy('did')
        .execute(),

    findDelegation: (delegatorDid: string, jti: string): Promise<DelegationRow | undefined> =>
      db
        .selectFrom('permissions.delegations')
        .selectAll()
        .where('delegator_did', '=', delegatorDid)
        .where('jti', '=', jti)
        .executeTakeFirst(),

    listDelegations: (permissionId: string): Promise<DelegationRow[]> =>
      db.selectFrom('permissions.delegations').selectAll().where('permission_id', '=', permissionId).execute(),

    /** The party and everyone to whom the permission was passed on. */
    async listRecipients(permissionId: string): Promise<string[]> {
      const { rows } = await sql<{ did: string }>`SELECT DISTINCT caller_did AS did FROM permissions.path_v1
         WHERE permission_id = ${permissionId} ORDER BY did`.execute(db)
      return rows.map(({ did }) => did)
    },

    /** Whether one of the hops was taken back. */
    async isRevoked(hopDigests: string[]): Promise<boolean> {
      const row = await db
        .selectFrom('permissions.delegation_revocations')
        .select('jti')
        .where('hop_digest', 'in', hopDigests)
        .executeTakeFirst()
      return row !== undefined
    },

    findIdempotent: (callerDid: string, key: string) =>
      db
        .selectFrom('permissions.idempotency_keys')
        .selectAll()
        .where('caller_did', '=', callerDid)
        .where('key', '=', key)
        .executeTakeFirst(),

    /** Permissions whose time has come: to expire, to time out or to start. */
    async listDue(now: Date, limit: number): Promise<string[]> {
      const { rows } = await sql<{ id: string }>`
        SELECT id FROM permissions.permissions
         WHERE (state IN ('ACCEPTED', 'WAITING_FOR_START', 'ACTIVE', 'SUSPENDED') AND expires_at <= ${now})
            OR (state IN ('UNABLE_TO_SEND', 'SENT_TO_PERMISSION_ADMINISTRATOR', 'AWAITING_CO_APPROVAL')
                AND times_out_at <= ${now})
            OR (state = 'WAITING_FOR_START' AND starts_at <= ${now})
         ORDER BY changed_at LIMIT ${limit}`.execute(db)
      return rows.map(({ id }) => id)
    },
  }
}

function writerOf(trx: Kysely<PermissionsTables>) {
  return {
    ...readerOf(trx),

    /** The row, held until the transaction ends: every change of a permission begins here. */
    lockPermission: (id: string): Promise<PermissionRow | undefined> =>
      trx.selectFrom('permissions.permissions').selectAll().where('id', '=', id).forUpdate().executeTakeFirst(),

    /** Waits until no read under the permission is under way and lets none start before the transaction ends. */
    async lockOutReaders(permissionId: string): Promise<void> {
      await sql`SELECT set_config('lock_timeout', ${`${lockTimeoutSeconds}s`}, true)`.execute(trx)
      await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`permission:${permissionId}`}, 0))`.execute(trx)
    },

    async insertPermission(row: PermissionRow): Promise<void> {
      const values = { ...row, requested_scope: JSON.stringify(row.requested_scope), scope: null }
      await trx.insertInto('permissions.permissions').values(values).execute()
    },

    async updatePermission(
      id: string,
      change: Partial<Omit<PermissionRow, 'scope' | 'requested_scope'>> & { scope?: string },
    ): Promise<void> {
      await trx.updateTable('permissions.permissions').set(change).where('id', '=', id).execute()
    },

    /** The event and its commitment on the way to the log: both or neither. */
    async insertEvent({ entry, ...row }: EventRow): Promise<void> {
      await trx
        .insertInto('permissions.permission_events')
        .values({ ...row, entry: JSON.stringify(entry) })
        .execute()
      await addToOutbox(trx, 'permissions', { kind: 'permission-event', commitment: row.commitment })
    },

    async lastSeq(permissionId: string): Promise<number> {
      const row = await trx
        .selectFrom('permissions.permission_events')
        .select((select) => select.fn.max('seq').as('seq'))
        .where('permission_id', '=', permissionId)
        .executeTakeFirst()
      return row?.seq ?? 0
    },

    insertStatement: (row: Insertable<PermissionsTables['permissions.statements']>) =>
      trx.insertInto('permissions.statements').values(row).execute(),

    /** The first receipt of a statement stays. */
    setReceipt: (sha256: string, receipt: string) =>
      trx
        .updateTable('permissions.statements')
        .set({ receipt })
        .where('sha256', '=', sha256)
        .where('receipt', 'is', null)
        .execute(),

    insertKey: ({ jwk, ...row }: CustomerKeyRow) =>
      trx
        .insertInto('permissions.customer_keys')
        .values({ ...row, jwk: JSON.stringify(jwk) })
        .execute(),

    /** A chain that is there already stays as it is. */
    insertDelegation: ({ chain, scope, ...row }: DelegationRow) =>
      trx
        .insertInto('permissions.delegations')
        .values({ ...row, chain: JSON.stringify(chain), scope: JSON.stringify(scope) })
        .onConflict((conflict) => conflict.column('chain_digest').doNothing())
        .execute(),

    insertDelegationRevocation: (row: PermissionsTables['permissions.delegation_revocations']) =>
      trx
        .insertInto('permissions.delegation_revocations')
        .values(row)
        .onConflict((conflict) => conflict.column('hop_digest').doNothing())
        .execute(),

    insertErasure: (rows: PermissionsTables['permissions.erasure_obligations'][]) =>
      trx
        .insertInto('permissions.erasure_obligations')
        .values(rows)
        .onConflict((conflict) => conflict.columns(['permission_id', 'recipient_did']).doNothing())
        .execute(),

    insertIdempotent: (row: PermissionsTables['permissions.idempotency_keys']) =>
      trx.insertInto('permissions.idempotency_keys').values(row).execute(),
  }
}

/**
 * Nobody has answered yet, and the metering point is the customer's since before it was asked for: what was meant for an
 * earlier occupant is not shown to the next one.
 */
function entitled(customerId: string, now: Date) {
  return sql<boolean>`(p.customer_id IS NULL AND EXISTS (
    SELECT FROM metering.metering_point_v1 point
      JOIN metering.entitlement_v1 e ON e.metering_point_id = point.id
     WHERE point.gsrn = p.gsrn AND e.customer_id = ${customerId}
       AND e.valid_from <= p.created_at AND (e.valid_to IS NULL OR e.valid_to > ${now})))`
}

/** Newest first; the id breaks ties, so that a page never skips or repeats a row. */
function listPage(
  db: Kysely<PermissionsTables>,
  condition: Expression<boolean>,
  { state, after, limit }: Page,
): Promise<PermissionRow[]> {
  let query = db
    .selectFrom('permissions.permissions as p')
    .selectAll()
    .where(condition)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
  if (state !== null) query = query.where('state', '=', state)
  if (after !== null) query = query.where(sql<boolean>`(p.created_at, p.id) < (${after.createdAt}, ${after.id})`)
  return query.execute()
}
