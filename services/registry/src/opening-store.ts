import type { Database } from '@tillit/database'
import type { RegistryTables } from './tables.ts'

/** An entry that anyone may open, with the leaf that commits to it. */
export interface ListedEntry {
  readonly index: number
  readonly commitment: Uint8Array
  readonly salt: Uint8Array
  /** The entry as JSON text. */
  readonly line: string
}

export interface OpeningReader {
  /** Entries of listed DIDs in the order of the log: at most `limit` of those from index `from` up to, but without, `end`. */
  readListedEntries(range: { from: number; end: number; limit: number }): Promise<ListedEntry[]>
}

export function createOpeningReader(database: Database<RegistryTables>): OpeningReader {
  return {
    readListedEntries: ({ from, end, limit }) =>
      database
        .selectFrom('registry.leaves as leaf')
        .innerJoin('registry.did_entries as entry', 'entry.commitment', 'leaf.commitment')
        .select(['leaf.index', 'leaf.commitment', 'entry.line'])
        .select((row) => row.ref('entry.salt').$notNull().as('salt'))
        .where('leaf.listed', '=', true)
        .where('entry.salt', 'is not', null)
        .where('leaf.index', '>=', from)
        .where('leaf.index', '<', end)
        .orderBy('leaf.index')
        .limit(limit)
        .execute(),
  }
}
