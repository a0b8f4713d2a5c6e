import type { Database } from '@tillit/database'
import { hashBytes, logEntry, type ReadTiles, saltBytes, type Tile } from '@tillit/log'
import { type Kysely, sql } from 'kysely'
import { asArray, asRun } from './columns.ts'
import { type NewLeaf, takeFromOutboxes } from './outboxes.ts'
import type { RegistryTables } from './tables.ts'

/** Only its holder appends to the log or signs a checkpoint; the number is ours alone. */
const sequencingLock = 7_417_002

/** Stands in a run of salts for one that is not public. */
const noSalt = new Uint8Array(saltBytes)

/** A checkpoint that the log has signed. It is not shown to anyone but witnesses until it is published. */
export interface SignedCheckpoint {
  readonly size: number
  readonly root: Uint8Array
  readonly note: string
  readonly signedAt: Date
}

export interface LoggedLeaf extends NewLeaf {
  readonly index: number
}

export interface LogReader {
  readLeaf(commitment: Uint8Array): Promise<LoggedLeaf | null>
  /** The entries of the leaves from `index` on, at most `count`. */
  readEntries(index: number, count: number): Promise<Uint8Array[]>
  readTiles: ReadTiles
  /** How many leaves are stored, signed or not. */
  readSize(): Promise<number>
  newestSigned(): Promise<SignedCheckpoint | null>
}

export interface LogStore extends LogReader {
  /** Runs in one transaction under the lock that makes log order one order, whatever processes run. */
  sequence<T>(work: (writer: LogWriter) => Promise<T>): Promise<T>
}

export interface LogWriter extends Pick<LogReader, 'readEntries' | 'readTiles' | 'readSize' | 'newestSigned'> {
  /** Takes what waits out of all outboxes, in the order in which it came, and leaves out what the log holds already. */
  takeFromOutboxes(): Promise<NewLeaf[]>
  /** How many leaves the newest published checkpoint holds; 0 before the first. */
  readPublishedSize(): Promise<number>
  insertLeaves(first: number, leaves: readonly NewLeaf[], sequencedAt: Date): Promise<void>
  putTiles(tiles: readonly Tile[]): Promise<void>
  insertCheckpoint(checkpoint: SignedCheckpoint): Promise<void>
  /** Keeps the note of a checkpoint with more signatures than it had. */
  replaceNote(size: number, note: string): Promise<void>
}

export function createLogStore(database: Database<RegistryTables>): LogStore {
  return {
    ...createReader(database),
    sequence: (work) =>
      database.transaction().execute(async (transaction) => {
        await sql`SELECT pg_advisory_xact_lock(${sequencingLock})`.execute(transaction)
        return work(createWriter(transaction))
      }),
  }
}

function createReader(database: Kysely<RegistryTables>): LogReader {
  return {
    readLeaf: async (commitment) => {
      const row = await database
        .selectFrom('registry.leaves')
        .select(['index', 'public_salt'])
        .where('commitment', '=', Buffer.from(commitment))
        .executeTakeFirst()
      return row === undefined ? null : { index: row.index, commitment, publicSalt: row.public_salt }
    },
    readEntries: async (index, count) => {
      const rows = await database
        .selectFrom('registry.leaves')
        .select(['commitment', 'public_salt'])
        .where('index', '>=', index)
        .where('index', '<', index + count)
        .orderBy('index')
        .execute()
      return rows.map((row) => logEntry(row.commitment, row.public_salt))
    },
    readTiles: tileReader(database),
    readSize: async () => {
      const { rows } = await sql<{ size: number }>`
        SELECT coalesce(max(index) + 1, 0)::bigint AS size FROM registry.leaves`.execute(database)
      return rows[0]?.size ?? 0
    },
    newestSigned: async () => {
      const row = await database
        .selectFrom('registry.checkpoints')
        .selectAll()
        .orderBy('size', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row === undefined ? null : { size: row.size, root: row.root, note: row.note, signedAt: row.signed_at }
    },
  }
}

function createWriter(transaction: Kysely<RegistryTables>): LogWriter {
  const { readEntries, readTiles, readSize, newestSigned } = createReader(transaction)
  return {
    readEntries,
    readTiles,
    readSize,
    newestSigned,
    takeFromOutboxes: () => takeFromOutboxes(transaction),
    readPublishedSize: async () => {
      const { rows } = await sql<{ size: number }>`
        SELECT coalesce(max(size), 0)::bigint AS size FROM registry.published_checkpoints`.execute(transaction)
      return rows[0]?.size ?? 0
    },
    insertLeaves: async (first, leaves, sequencedAt) => {
      const commitments = asRun(leaves.map(({ commitment }) => commitment))
      const salts = asRun(leaves.map(({ publicSalt }) => publicSalt ?? noSalt))
      const listed = asArray(leaves.map(({ publicSalt }) => publicSalt !== null))
      await sql`
        INSERT INTO registry.leaves (index, commitment, public_salt, listed, sequenced_at)
        SELECT ${first}::bigint + n,
          substring(${commitments}::bytea FROM ${hashBytes}::integer * n + 1 FOR ${hashBytes}::integer),
          CASE WHEN listed THEN
            substring(${salts}::bytea FROM ${saltBytes}::integer * n + 1 FOR ${saltBytes}::integer) END,
          listed, ${sequencedAt}
        FROM ROWS FROM (
          unnest(${listed}::boolean[]), generate_series(0, ${leaves.length - 1}::integer)
        ) AS leaf (listed, n)`.execute(transaction)
    },
    putTiles: async (tiles) => {
      await transaction
        .insertInto('registry.tiles')
        .values(tiles.map(({ level, index, hashes }) => ({ level, index, hashes: Buffer.from(hashes) })))
        .onConflict((conflict) =>
          conflict.columns(['level', 'index']).doUpdateSet((row) => ({ hashes: row.ref('excluded.hashes') })),
        )
        .execute()
    },
    insertCheckpoint: async ({ size, root, note, signedAt }) => {
      await transaction
        .insertInto('registry.checkpoints')
        .values({ size, root: Buffer.from(root), note, signed_at: signedAt })
        .execute()
    },
    replaceNote: async (size, note) => {
      await transaction.updateTable('registry.checkpoints').set({ note }).where('size', '=', size).execute()
    },
  }
}

function tileReader(database: Kysely<RegistryTables>): ReadTiles {
  return async (tiles) => {
    if (tiles.length === 0) return []
    const { rows } = await sql<{ level: number; index: number; hashes: Buffer }>`
      SELECT level, index, hashes FROM registry.tiles WHERE (level, index) IN (
        SELECT * FROM unnest(${tiles.map(({ level }) => level)}::integer[], ${tiles.map(({ index }) => index)}::bigint[])
      )`.execute(database)
    const found = new Map(rows.map((row) => [`${row.level}/${row.index}`, row.hashes]))
    return tiles.map(({ level, index }) => found.get(`${level}/${index}`) ?? new Uint8Array(0))
  }
}
