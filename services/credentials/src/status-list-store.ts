import type { CredentialStatus } from '@tillit/credential'
import { type Kysely, sql } from 'kysely'
import type { CredentialsTables } from './tables.ts'

/** Outcome of one attempt to take a free index; `freeCandidates` of `triedCandidates` random ones were free. */
export interface IndexAttempt {
  openList: { id: number; size: number } | null
  taken: { listId: number; idx: number } | null
  freeCandidates: number
}

/** Outcome of one attempt to take many: those that were free of as many random ones as were wanted. */
export interface BulkAttempt {
  openList: { id: number } | null
  taken: { listId: number; idx: number }[]
}

/** Random indexes looked at in one attempt. Lists are closed when half full, so all of them are taken once in 2^32. */
export const triedCandidates = 32

/** Changes to status lists, in the caller's transaction. */
export function createStatusListWriter(transaction: Kysely<CredentialsTables>) {
  return {
    tryTakeIndex: (): Promise<IndexAttempt> => tryTakeIndex(transaction),

    tryTakeIndexes: (wanted: number): Promise<BulkAttempt> => tryTakeIndexes(transaction, wanted),

    /** Closes a list that is half full, so that the next one is opened while this one still has room. */
    async closeListWhenHalfFull(id: number): Promise<void> {
      await sql`
        UPDATE credentials.status_lists SET closed_at = now()
        WHERE id = ${id} AND closed_at IS NULL
          AND (SELECT count(*) FROM credentials.status_index WHERE list_id = ${id}) * 2 >= size`.execute(transaction)
    },

    /** Opens a list unless one is open; of several at once, one wins and the others find it. */
    async openList(size: number): Promise<void> {
      await sql`
        INSERT INTO credentials.status_lists (size, bitmap) VALUES (${size}::int, decode(repeat('00', ${size}::int / 4), 'hex'))
        ON CONFLICT DO NOTHING`.execute(transaction)
    },

    /** 0 valid, 1 revoked, 2 suspended (IETF Token Status List, section 7.1); set_bit counts from the least significant too. */
    async setBits(listId: number, idx: number, status: CredentialStatus): Promise<void> {
      await sql`
        UPDATE credentials.status_lists SET version = version + 1,
          bitmap = set_bit(set_bit(bitmap, ${idx * 2}::bigint, ${status === 'revoked' ? 1 : 0}::int),
            ${idx * 2 + 1}::bigint, ${status === 'suspended' ? 1 : 0}::int)
        WHERE id = ${listId}`.execute(transaction)
    },
  }
}

/**
 * One statement looks at random indexes of the open list and takes the first free one. Random, from the system's generator,
 * so that an index does not tell when a credential was issued; the primary key decides between two who chose the same.
 */
async function tryTakeIndex(db: Kysely<CredentialsTables>): Promise<IndexAttempt> {
  const { rows } = await sql<{
    open_id: number | null
    open_size: number | null
    free: number
    list_id: number | null
    idx: number | null
  }>`
    WITH open AS (SELECT id, size FROM credentials.status_lists WHERE closed_at IS NULL),
    random AS MATERIALIZED (SELECT uuid_send(gen_random_uuid()) AS bytes FROM generate_series(1, ${triedCandidates}::int)),
    candidate AS (
      SELECT DISTINCT open.id AS list_id,
        (get_byte(bytes, 0) * 65536 + get_byte(bytes, 1) * 256 + get_byte(bytes, 2)) % open.size AS idx
      FROM open, random
    ),
    free AS MATERIALIZED (
      SELECT list_id, idx FROM candidate c
      WHERE NOT EXISTS (SELECT FROM credentials.status_index s WHERE s.list_id = c.list_id AND s.idx = c.idx)
    ),
    taken AS (
      INSERT INTO credentials.status_index (list_id, idx)
      SELECT list_id, idx FROM free ORDER BY gen_random_uuid() LIMIT 1
      ON CONFLICT DO NOTHING RETURNING list_id, idx
    )
    SELECT open.id AS open_id, open.size AS open_size, (SELECT count(*)::int FROM free) AS free, taken.list_id, taken.idx
    FROM (SELECT 1) AS one LEFT JOIN open ON true LEFT JOIN taken ON true`.execute(db)
  const row = rows[0]
  return {
    openList: row?.open_id == null || row.open_size == null ? null : { id: row.open_id, size: row.open_size },
    taken: row?.list_id == null || row.idx == null ? null : { listId: row.list_id, idx: row.idx },
    freeCandidates: row?.free ?? 0,
  }
}

/**
 * One statement takes as many random indexes of the open list as are wanted, but for those that somebody has. In the order of the
 * list, so that two who do it at once wait for each other on one index only; given back in another, so that their order tells
 * nothing.
 */
async function tryTakeIndexes(db: Kysely<CredentialsTables>, wanted: number): Promise<BulkAttempt> {
  const { rows } = await sql<{ open_id: number; idx: number | null }>`
    WITH open AS (SELECT id, size FROM credentials.status_lists WHERE closed_at IS NULL),
    random AS MATERIALIZED (SELECT uuid_send(gen_random_uuid()) AS bytes FROM generate_series(1, ${wanted}::int)),
    candidate AS (
      SELECT DISTINCT open.id AS list_id,
        (get_byte(bytes, 0) * 65536 + get_byte(bytes, 1) * 256 + get_byte(bytes, 2)) % open.size AS idx
      FROM open, random ORDER BY 1, 2
    ),
    taken AS (
      INSERT INTO credentials.status_index (list_id, idx) SELECT list_id, idx FROM candidate
      ON CONFLICT DO NOTHING RETURNING idx
    )
    SELECT open.id AS open_id, taken.idx FROM open LEFT JOIN taken ON true ORDER BY gen_random_uuid()`.execute(db)
  const open = rows[0]
  return {
    openList: open === undefined ? null : { id: open.open_id },
    taken: rows.flatMap(({ open_id, idx }) => (idx === null ? [] : [{ listId: open_id, idx }])),
  }
}
