import type { ServiceSchema } from '@tillit/database'
import { type Kysely, sql } from 'kysely'
import type { RegistryTables } from './tables.ts'

/** Most entries taken from each outbox at once: bounds the transaction, not the log. */
const batchEntries = 1000

/** Whose outboxes feed the log. */
const sources: readonly ServiceSchema[] = ['registry', 'credentials', 'authorization', 'permissions', 'metering']

/** What becomes a leaf. The salt is there when the entry is listed, so that everyone can open it. */
export interface NewLeaf {
  readonly commitment: Uint8Array
  readonly publicSalt: Uint8Array | null
}

interface OutboxRow {
  id: number
  commitment: Buffer
  public_salt: Buffer | null
  /** Seconds since 1970: of thousands of rows a number is read in a tenth of the time of a Date. */
  created_s: number
}

/** Takes what waits out of all outboxes, in the order in which it came, and leaves out what the log holds already. */
export async function takeFromOutboxes(transaction: Kysely<RegistryTables>): Promise<NewLeaf[]> {
  const queues: OutboxRow[][] = []
  for (const source of await existingOutboxes(transaction)) queues.push(await takeFrom(transaction, source))
  const unique = new Map<string, NewLeaf>()
  for (const { commitment, public_salt: publicSalt } of mergeByTime(queues)) {
    const key = commitment.toString('hex')
    if (!unique.has(key)) unique.set(key, { commitment, publicSalt })
  }
  for (const key of await alreadyLogged(transaction, [...unique.values()])) unique.delete(key)
  return [...unique.values()]
}

/**
 * One order of all queues, by time. Within a queue the order stays as it is: what was added second may have begun first, and
 * the entries of a DID have to follow each other in the log as they do in its history.
 */
function mergeByTime(queues: readonly OutboxRow[][]): OutboxRow[] {
  const merged: OutboxRow[] = []
  const heads = queues.map(() => 0)
  for (;;) {
    let first: { queue: number; row: OutboxRow } | null = null
    for (const [queue, rows] of queues.entries()) {
      const row = rows[heads[queue] ?? 0]
      if (row !== undefined && (first === null || row.created_s < first.row.created_s)) first = { queue, row }
    }
    if (first === null) return merged
    merged.push(first.row)
    heads[first.queue] = (heads[first.queue] ?? 0) + 1
  }
}

/** A registry that runs alone has no other service's outbox in its database. */
async function existingOutboxes(transaction: Kysely<RegistryTables>): Promise<ServiceSchema[]> {
  const { rows } = await sql<{ source: ServiceSchema }>`
    SELECT source FROM unnest(${sources}::text[]) AS source WHERE to_regclass(source || '.outbox') IS NOT NULL
  `.execute(transaction)
  return rows.map(({ source }) => source)
}

async function takeFrom(transaction: Kysely<RegistryTables>, source: ServiceSchema): Promise<OutboxRow[]> {
  const outbox = sql.table(`${source}.outbox`)
  // Only the registry lists anything: what the other services log is about people.
  const publicSalt = source === 'registry' ? sql`public_salt` : sql`NULL::bytea AS public_salt`
  const { rows } = await sql<OutboxRow>`
    DELETE FROM ${outbox} WHERE id IN (SELECT id FROM ${outbox} ORDER BY id LIMIT ${batchEntries})
    RETURNING id, commitment, ${publicSalt}, date_part('epoch', created_at) AS created_s`.execute(transaction)
  return rows.sort((a, b) => a.id - b.id)
}

async function alreadyLogged(transaction: Kysely<RegistryTables>, leaves: readonly NewLeaf[]): Promise<string[]> {
  if (leaves.length === 0) return []
  const commitments = leaves.map(({ commitment }) => Buffer.from(commitment))
  const { rows } = await sql<{ commitment: Buffer }>`
    SELECT commitment FROM registry.leaves WHERE commitment = ANY(${commitments}::bytea[])`.execute(transaction)
  return rows.map(({ commitment }) => commitment.toString('hex'))
}
