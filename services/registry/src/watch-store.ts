import type { Database } from '@tillit/database'
import { sql } from 'kysely'
import type { RegistryTables } from './tables.ts'

/** The longest verified history seen of a foreign DID. */
export interface WatchedDid {
  readonly scid: string
  /** As it was called when it was looked at last; a portable DID may move. */
  readonly did: string
  /** Of the newest version that is kept. */
  readonly versionId: string
  readonly log: string
  readonly witnessFile: string | null
  /** Multikeys of the newest version that names any: who may ask that the copy be deleted. */
  readonly updateKeys: readonly string[]
  readonly checkedAt: Date
  /** When its host is asked again. */
  readonly checkAt: Date
  readonly fault: string | null
}

/** What its host shows instead of what is kept. `otherLog` is verified too: evidence of two histories; null when there is none. */
export interface WatchFault {
  readonly words: string
  readonly otherLog: string | null
}

export interface WatchState {
  readonly did: string
  readonly versionId: string
  readonly checkedAt: Date
  readonly fault: string | null
  readonly otherLog: string | null
}

export interface WatchStore {
  find(scid: string): Promise<WatchedDid | null>
  readState(scid: string): Promise<WatchState | null>
  /** How much is kept: bytes of logs, witness files and evidence. */
  readUsage(): Promise<{ dids: number; bytes: number }>
  /** The DIDs whose hosts are to be asked again, the longest overdue first. */
  readDue(now: Date, limit: number): Promise<{ did: string; scid: string }[]>
  /** Stores what follows on `after` (null: nothing was kept). False when something else was stored meanwhile. */
  put(watched: WatchedDid, after: string | null): Promise<boolean>
  /** The host shows what is kept. */
  markAgreed(scid: string, times: { checkedAt: Date; checkAt: Date }): Promise<void>
  /** Nothing was found out: its host could not be asked, or showed nothing that verifies. Only if it is still due. */
  postpone(scid: string, times: { now: Date; checkAt: Date }): Promise<void>
  /** What is kept stays, and so does the first other history that was seen. */
  markFault(scid: string, fault: WatchFault & { checkedAt: Date; checkAt: Date }): Promise<void>
  /** With its resources. False when nothing is kept, or when what is kept is evidence. */
  remove(scid: string): Promise<boolean>
}

export function createWatchStore(database: Database<RegistryTables>): WatchStore {
  return {
    find: async (scid) => {
      const row = await database
        .selectFrom('registry.watched_dids')
        .select(['scid', 'did', 'log', 'fault', 'version_id as versionId', 'witness_file as witnessFile'])
        .select(['update_keys as updateKeys', 'checked_at as checkedAt', 'check_at as checkAt'])
        .where('scid', '=', scid)
        .executeTakeFirst()
      return row ?? null
    },
    readState: async (scid) => {
      const row = await database
        .selectFrom('registry.watched_dids')
        .select(['did', 'version_id as versionId', 'checked_at as checkedAt', 'fault', 'other_log as otherLog'])
        .where('scid', '=', scid)
        .executeTakeFirst()
      return row ?? null
    },
    readUsage: async () => {
      const { rows } = await sql<{ dids: number; bytes: number }>`
        SELECT count(*) AS dids, coalesce(sum(octet_length(log) + coalesce(octet_length(witness_file), 0)
          + coalesce(octet_length(other_log), 0)), 0)::bigint AS bytes FROM registry.watched_dids`.execute(database)
      return rows[0] ?? { dids: 0, bytes: 0 }
    },
    readDue: async (now, limit) => {
      const { rows } = await sql<{ did: string; scid: string }>`
        SELECT did, scid FROM registry.watched_dids WHERE check_at <= ${now} ORDER BY check_at LIMIT ${limit}`.execute(
        database,
      )
      return rows
    },
    put: async (watched, after) => {
      const { scid, did, versionId, log, witnessFile, updateKeys, checkedAt, checkAt } = watched
      const { rows } = await sql`
        INSERT INTO registry.watched_dids AS kept
          (scid, did, version_id, log, witness_file, update_keys, checked_at, check_at)
        VALUES (${scid}, ${did}, ${versionId}, ${log}, ${witnessFile}, ${[...updateKeys]}::text[], ${checkedAt}, ${checkAt})
        ON CONFLICT (scid) DO UPDATE SET did = excluded.did, version_id = excluded.version_id, log = excluded.log,
          witness_file = excluded.witness_file, checked_at = excluded.checked_at, check_at = excluded.check_at,
          -- A deactivated DID names no keys any more.
          update_keys = CASE WHEN cardinality(excluded.update_keys) = 0 THEN kept.update_keys ELSE excluded.update_keys END,
          fault = NULL
        WHERE kept.version_id = ${after} RETURNING 1`.execute(database)
      return rows.length > 0
    },
    markAgreed: async (scid, { checkedAt, checkAt }) => {
      await database
        .updateTable('registry.watched_dids')
        .set({ fault: null, checked_at: checkedAt, check_at: checkAt })
        .where('scid', '=', scid)
        .execute()
    },
    postpone: async (scid, { now, checkAt }) => {
      await database
        .updateTable('registry.watched_dids')
        .set({ check_at: checkAt })
        .where('scid', '=', scid)
        .where('check_at', '<=', now)
        .execute()
    },
    markFault: async (scid, { words, otherLog, checkedAt, checkAt }) => {
      await sql`
        UPDATE registry.watched_dids SET fault = ${words}, other_log = coalesce(other_log, ${otherLog}),
          checked_at = ${checkedAt}, check_at = ${checkAt} WHERE scid = ${scid}`.execute(database)
    },
    remove: async (scid) => {
      const { rows } = await sql`
        DELETE FROM registry.watched_dids WHERE scid = ${scid} AND fault IS NULL AND other_log IS NULL RETURNING 1`.execute(
        database,
      )
      return rows.length > 0
    },
  }
}
