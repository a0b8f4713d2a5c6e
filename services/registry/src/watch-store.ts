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
  readonly checkedAt: Date
  readonly fault: string | null
}

export interface WatchStore {
  find(scid: string): Promise<WatchedDid | null>
  count(): Promise<number>
  /** Stores what follows on `after` (null: nothing was kept). False when something else was stored meanwhile. */
  put(watched: WatchedDid, after: string | null): Promise<boolean>
  /** What is kept stays; its host shows something else. */
  markFault(scid: string, fault: { words: string; checkedAt: Date }): Promise<void>
}

export function createWatchStore(database: Database<RegistryTables>): WatchStore {
  return {
    find: async (scid) => {
      const row = await database
        .selectFrom('registry.watched_dids')
        .selectAll()
        .where('scid', '=', scid)
        .executeTakeFirst()
      if (row === undefined) return null
      const { version_id: versionId, witness_file: witnessFile, checked_at: checkedAt, ...same } = row
      return { ...same, versionId, witnessFile, checkedAt }
    },
    count: async () => {
      const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM registry.watched_dids`.execute(
        database,
      )
      return rows[0]?.count ?? 0
    },
    put: async ({ scid, did, versionId, log, witnessFile, checkedAt, fault }, after) => {
      const { rows } = await sql`
        INSERT INTO registry.watched_dids AS kept (scid, did, version_id, log, witness_file, checked_at, fault)
        VALUES (${scid}, ${did}, ${versionId}, ${log}, ${witnessFile}, ${checkedAt}, ${fault})
        ON CONFLICT (scid) DO UPDATE SET did = excluded.did, version_id = excluded.version_id, log = excluded.log,
          witness_file = excluded.witness_file, checked_at = excluded.checked_at, fault = excluded.fault
        WHERE kept.version_id = ${after} RETURNING 1`.execute(database)
      return rows.length > 0
    },
    markFault: async (scid, { words, checkedAt }) => {
      await database
        .updateTable('registry.watched_dids')
        .set({ fault: words, checked_at: checkedAt })
        .where('scid', '=', scid)
        .execute()
    },
  }
}
