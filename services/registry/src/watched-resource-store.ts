import type { Database } from '@tillit/database'
import { sql } from 'kysely'
import type { RegistryTables } from './tables.ts'

export interface WatchedResource {
  readonly scid: string
  /** Below the folder of the DID, without a slash before it. */
  readonly path: string
  readonly mediaType: string
  readonly content: Uint8Array
}

export interface WatchedResourceStore {
  find(scid: string, path: string): Promise<WatchedResource | null>
  /** Stores the resource in place of the one before. False when there is no room for it, or the DID is watched no more. */
  put(resource: WatchedResource, limits: { perDid: number; totalBytes: number; fetchedAt: Date }): Promise<boolean>
  remove(scid: string, path: string): Promise<boolean>
}

export function createWatchedResourceStore(database: Database<RegistryTables>): WatchedResourceStore {
  return {
    find: async (scid, path) => {
      const row = await database
        .selectFrom('registry.watched_resources')
        .select(['scid', 'path', 'media_type as mediaType', 'content'])
        .where('scid', '=', scid)
        .where('path', '=', path)
        .executeTakeFirst()
      return row ?? null
    },
    put: async ({ scid, path, mediaType, content }, { perDid, totalBytes, fetchedAt }) => {
      const { rows } = await sql`
        INSERT INTO registry.watched_resources (scid, path, media_type, content, fetched_at)
        SELECT ${scid}::text, ${path}::text, ${mediaType}::text, ${Buffer.from(content)}::bytea, ${fetchedAt}::timestamptz
        FROM (
          SELECT count(*) FILTER (WHERE scid = ${scid}) AS of_did, coalesce(sum(octet_length(content)), 0) AS bytes
          FROM registry.watched_resources WHERE (scid, path) <> (${scid}, ${path})
        ) AS others
        WHERE of_did < ${perDid} AND bytes + ${content.length} <= ${totalBytes}
          AND EXISTS (SELECT FROM registry.watched_dids WHERE scid = ${scid})
        ON CONFLICT (scid, path) DO UPDATE SET media_type = excluded.media_type, content = excluded.content,
          fetched_at = excluded.fetched_at
        RETURNING 1`.execute(database)
      return rows.length > 0
    },
    remove: async (scid, path) => {
      const { rows } = await sql`
        DELETE FROM registry.watched_resources WHERE scid = ${scid} AND path = ${path} RETURNING 1`.execute(database)
      return rows.length > 0
    },
  }
}
