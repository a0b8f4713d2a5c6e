import type { Database, ServiceSchema } from '@tillit/database'
import type { ReadTiles, Tile } from '@tillit/log'
import { type Kysely, sql } from 'kysely'
import type { RegistryTables } from './tables.ts'

/** Only its holder appends to the log or signs a checkpoint; the number is ours alone. */
const sequencingLock = 7_417_002

/** Most entries taken from each outbox at once: bounds the transaction, not the log. */
const batchEntries = 1000

/** Whose outboxes feed the log. */
const sources: readonly ServiceSchema[] = ['registry', 'credentials', 'authorization', 'permissions', 'metering']

export interface StoredCheckpoint {
  readonly size: number
  readonly root: Uint8Array
  readonly note: string
  readonly signedAt: Date
}

export interface LogStore extends LogReader {
  /** Runs in one transaction under the lock that makes log order one order, whatever processes run. */
  sequence<T>(work: (writer: LogWriter) => Promise<T>): Promise<T>
}

export interface LogReader {
  readLeafIndex(commitment: Uint8Array): Promise<number | null>
  /** The commitments from `index` on, at most `count`. */
  readCommitments(index: number, count: number): Promise<Uint8Array[]>
  readTiles: ReadTiles
  newestCheckpoint(): Promise<StoredCheckpoint | null>
  readCheckpoint(size: number): Promise<StoredCheckpoint | null>
}

export interface LogWriter {
  /** Takes commitments out of all outboxes, in the order in which they came, and leaves out those the log holds. */
  takeFromOutboxes(): Promise<Uint8Array[]>
  readSize(): Promise<number>
  readTiles: ReadTiles
  insertLeaves(first: number, commitments: readonly Uint8Array[], sequencedAt: Date): Promise<void>
  putTiles(tiles: readonly Tile[]): Promise<void>
  newestCheckpoint(): Promise<StoredCheckpoint | null>
  insertCheckpoint(checkpoint: StoredCheckpoint): Promise<void>
}

export function createLogStore(database: Database<RegistryTables>): LogStore {
  return {
    sequence: (work) =>
      database.transaction().execute(async (transaction) => {
        await sql`SELECT pg_advisory_xact_lock(${sequencingLock})`.execute(transaction)
        return work(createWriter(transaction))
      }),
    readLeafIndex: async (commitment) => {
      const row = await database
        .selectFrom('registry.leaves')
        .select('index')
        .where('commitment', '=', Buffer.from(commitment))
        .executeTakeFirst()
      return row?.index ?? null
    },
    readCommitments: async (index, count) => {
      const rows = await database
        .selectFrom('registry.leaves')
        .select('commitment')
        .where('index', '>=', index)
        .where('index', '<', index + count)
        .orderBy('index')
        .execute()
      return rows.map((row) => row.commitment)
    },
    readTiles: tileReader(database),
    newestCheckpoint: () => newestCheckpoint(database),
    readCheckpoint: async (size) =>
      checkpointOf(await selectCheckpoints(database).where('size', '=', size).executeTakeFirst()),
  }
}

function createWriter(transaction: Kysely<RegistryTables>): LogWriter {
  return {
    takeFromOutboxes: async () => {
      const taken: { commitment: Buffer; created_at: Date }[] = []
      for (const source of await existingOutboxes(transaction)) taken.push(...(await takeFrom(transaction, source)))
      taken.sort((a, b) => a.created_at.getTime() - b.created_at.getTime())
      const unique = new Map(taken.map(({ commitment }) => [commitment.toString('hex'), commitment]))
      for (const commitment of await alreadyLogged(transaction, [...unique.values()])) unique.delete(commitment)
      return [...unique.values()]
    },
    readSize: async () => {
      const { rows } = await sql<{ size: number }>`
        SELECT coalesce(max(index) + 1, 0)::bigint AS size FROM registry.leaves`.execute(transaction)
      return rows[0]?.size ?? 0
    },
    readTiles: tileReader(transaction),
    insertLeaves: async (first, commitments, sequencedAt) => {
      await sql`
        INSERT INTO registry.leaves (index, commitment, sequenced_at)
        SELECT ${first}::bigint + n - 1, commitment, ${sequencedAt}
        FROM unnest(${commitments.map((commitment) => Buffer.from(commitment))}::bytea[]) WITH ORDINALITY AS leaf (commitment, n)
      `.execute(transaction)
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
    newestCheckpoint: () => newestCheckpoint(transaction),
    insertCheckpoint: async ({ size, root, note, signedAt }) => {
      await transaction
        .insertInto('registry.checkpoints')
        .values({ size, root: Buffer.from(root), note, signed_at: signedAt })
        .execute()
    },
  }
}

/** A registry that runs alone has no other service's outbox in its database. */
async function existingOutboxes(transaction: Kysely<RegistryTables>): Promise<string[]> {
  const { rows } = await sql<{ source: string }>`
    SELECT source FROM unnest(${sources}::text[]) AS source WHERE to_regclass(source || '.outbox') IS NOT NULL
  `.execute(transaction)
  return rows.map(({ source }) => source)
}

async function takeFrom(transaction: Kysely<RegistryTables>, source: string) {
  const outbox = sql.table(`${source}.outbox`)
  const { rows } = await sql<{ commitment: Buffer; created_at: Date; id: number }>`
    DELETE FROM ${outbox} WHERE id IN (SELECT id FROM ${outbox} ORDER BY id LIMIT ${batchEntries})
    RETURNING id, commitment, created_at`.execute(transaction)
  return rows.sort((a, b) => a.id - b.id)
}

async function alreadyLogged(transaction: Kysely<RegistryTables>, commitments: Buffer[]): Promise<string[]> {
  if (commitments.length === 0) return []
  const { rows } = await sql<{ commitment: Buffer }>`
    SELECT commitment FROM registry.leaves WHERE commitment = ANY(${commitments}::bytea[])`.execute(transaction)
  return rows.map(({ commitment }) => commitment.toString('hex'))
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

function selectCheckpoints(database: Kysely<RegistryTables>) {
  return database.selectFrom('registry.checkpoints').selectAll()
}

async function newestCheckpoint(database: Kysely<RegistryTables>): Promise<StoredCheckpoint | null> {
  return checkpointOf(await selectCheckpoints(database).orderBy('size', 'desc').limit(1).executeTakeFirst())
}

function checkpointOf(row: { size: number; root: Buffer; note: string; signed_at: Date } | undefined) {
  return row === undefined ? null : { size: row.size, root: row.root, note: row.note, signedAt: row.signed_at }
}
