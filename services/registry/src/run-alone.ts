import type { Database } from '@tillit/database'
import { sql } from 'kysely'

/**
 * Runs the work unless another process is at work under the same lock; then gives null. The lock belongs to a connection and
 * not to a transaction: the work may wait for others, and the lock goes when the process or its connection does.
 */
export function runAlone<Tables, T>(
  database: Database<Tables>,
  lock: number,
  work: () => Promise<T>,
): Promise<T | null> {
  return database.connection().execute(async (connection) => {
    const { rows } = await sql<{ held: boolean }>`SELECT pg_try_advisory_lock(${lock}) AS held`.execute(connection)
    if (rows[0]?.held !== true) return null
    try {
      return await work()
    } finally {
      await sql`SELECT pg_advisory_unlock(${lock})`.execute(connection)
    }
  })
}
