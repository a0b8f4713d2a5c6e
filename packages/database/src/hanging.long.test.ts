import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { problemOfDatabaseError, type TestDatabase, testDatabase } from './index.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

test('a connection whose server hangs is left, in a transaction too, and none waits behind it', async () => {
  const db = database.connect('registry', { maxConnections: 2 })
  const backend = async (on = db) =>
    (await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(on)).rows[0]?.pid ?? 0
  const stopped: number[] = []
  const began = performance.now()
  try {
    const refused = await db
      .transaction()
      .execute(async (transaction) => {
        stopped.push(await backend(transaction))
        process.kill(stopped[0] ?? 0, 'SIGSTOP')
        await backend(transaction)
      })
      .catch((error: unknown) => error)
    expect(problemOfDatabaseError(refused)).toMatchObject({ code: 'database-unavailable' })
    expect(performance.now() - began).toBeLessThan(28_000)
    expect(await Promise.all([backend(), backend(), backend()])).not.toContain(stopped[0])
  } finally {
    for (const pid of stopped) process.kill(pid, 'SIGCONT')
  }
})
