import type { Database } from '@tillit/database'
import { sql } from 'kysely'
import type { RegistryTables } from './tables.ts'

/** Which notes: those that were published, or those that were signed and are not (any more) published. */
export type NoteKind = 'published' | 'signed'

export interface RetentionStore {
  /** The size of the last one of the newest `count`; null while there are fewer. */
  oldestOf(kind: NoteKind, count: number): Promise<number | null>
  /** The size of the oldest published one that waits for an anchor. */
  oldestUnanchored(): Promise<number | null>
  /**
   * Deletes notes of sizes from `from` up to but not `to`, at most `limit`, the smallest first. Those that are or were
   * anchored stay, and that of the size `except`. Gives their sizes.
   */
  deleteNotes(
    kind: NoteKind,
    range: { from: number; to: number; except: number | null; limit: number },
  ): Promise<number[]>
}

export function createRetentionStore(database: Database<RegistryTables>): RetentionStore {
  const tables = { published: 'registry.published_checkpoints', signed: 'registry.checkpoints' } as const
  return {
    oldestOf: async (kind, count) => {
      const row = await database
        .selectFrom(tables[kind])
        .select('size')
        .orderBy('size', 'desc')
        .offset(count - 1)
        .limit(1)
        .executeTakeFirst()
      return row?.size ?? null
    },
    oldestUnanchored: async () => {
      const { rows } = await sql<{ size: number | null }>`
        SELECT min(size) AS size FROM registry.published_checkpoints WHERE size > (
          SELECT coalesce(max(size), 0) FROM registry.anchors WHERE lost_at IS NULL
        )`.execute(database)
      return rows[0]?.size ?? null
    },
    deleteNotes: async (kind, { from, to, except, limit }) => {
      const statement =
        kind === 'published'
          ? sql<{ size: number }>`
              WITH old AS (
                SELECT size FROM registry.published_checkpoints AS published
                WHERE size >= ${from} AND size < ${to} AND size IS DISTINCT FROM ${except}
                  AND NOT EXISTS (SELECT FROM registry.anchors AS anchor WHERE anchor.size = published.size)
                ORDER BY size LIMIT ${limit}
              ), unpublished AS (
                DELETE FROM registry.published_checkpoints WHERE size IN (SELECT size FROM old) RETURNING size
              )
              DELETE FROM registry.checkpoints WHERE size IN (SELECT size FROM unpublished) RETURNING size`
          : sql<{ size: number }>`
              DELETE FROM registry.checkpoints WHERE size IN (
                SELECT size FROM registry.checkpoints AS signed
                WHERE size >= ${from} AND size < ${to} AND size IS DISTINCT FROM ${except}
                  AND NOT EXISTS (SELECT FROM registry.published_checkpoints AS published WHERE published.size = signed.size)
                ORDER BY size LIMIT ${limit}
              ) RETURNING size`
      return (await statement.execute(database)).rows.map(({ size }) => size)
    },
  }
}
