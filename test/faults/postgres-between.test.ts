import { connect, type Database, type TestDatabase, testDatabase } from '@tillit/database'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fates, openPostgresBetween, type PostgresBetween } from './postgres-between.ts'

interface Tables {
  'registry.city': { only_one: boolean; id: string }
}

let database: TestDatabase
let between: PostgresBetween
let through: Database<Tables>
beforeAll(async () => {
  database = await testDatabase()
  between = await openPostgresBetween(database.url)
  through = connect<Tables>({ url: between.url, schema: 'registry', onError: () => undefined })
  await through.insertInto('registry.city').values({ only_one: true, id: 'first' }).execute()
})
afterAll(async () => {
  await through.destroy()
  await between.close()
  await database.drop()
})

const stored = async () => {
  const { rows } = await sql<{ id: string }>`SELECT id FROM registry.city`.execute(database.connect<Tables>('registry'))
  return rows[0]?.id
}
const isUpdate = (write: readonly string[]) => write.includes('update registry.city')
const waysToWrite = {
  'one statement': (id: string) => through.updateTable('registry.city').set({ id }).execute(),
  'a transaction': (id: string) =>
    through.transaction().execute(async (transaction) => {
      await sql`SELECT 1`.execute(transaction)
      await transaction.updateTable('registry.city').set({ id }).execute()
      await sql`SELECT 2`.execute(transaction)
    }),
}
const cases = Object.entries(waysToWrite).flatMap(([what, write]) => fates.map((fate) => ({ what, write, fate })))

test.each(cases)('$what that is to be $fate is, and its client does not know', async ({ what, write, fate }) => {
  const before = await stored()
  const met = between.cutAt({ of: isUpdate, fate, forGood: false })
  await expect(write(`${what} ${fate}`)).rejects.toThrow(/terminated|connection error/)
  await met
  expect(await stored()).toBe(fate === 'failed' ? before : `${what} ${fate}`)
  // The next one passes.
  await write('next')
  expect(await stored()).toBe('next')
})

test('what PostgreSQL itself refuses has not been persisted, and the cut waits for the next write', async () => {
  const met = between.cutAt({ of: isUpdate, fate: 'failed but persisted', forGood: false })
  const refused = sql`UPDATE registry.city SET only_one = false`.execute(through)
  await expect(refused).rejects.toThrow('violates check constraint')
  await expect(waysToWrite['one statement']('after')).rejects.toThrow(/terminated|connection error/)
  await met
  expect(await stored()).toBe('after')
})

test('a client that is cut off for good reaches nothing until it is restored', async () => {
  const met = between.cutAt({ of: isUpdate, fate: 'failed', forGood: true })
  await expect(waysToWrite['one statement']('gone')).rejects.toThrow()
  await met
  expect(between.broken).toBe(true)
  await expect(waysToWrite['one statement']('gone')).rejects.toThrow()
  between.restore()
  await waysToWrite['one statement']('back')
  expect(await stored()).toBe('back')
})

test('writes are known by their statements, and what was rolled back is none', async () => {
  const before = between.writes.length
  const work = through.transaction().execute(async (transaction) => {
    await transaction.updateTable('registry.city').set({ id: 'never' }).execute()
    throw new Error('changed its mind')
  })
  await expect(work).rejects.toThrow('changed its mind')
  await sql`SELECT id FROM registry.city FOR UPDATE`.execute(through)
  await sql`INSERT INTO registry.city (id) VALUES ('x') ON CONFLICT DO NOTHING`.execute(through)
  expect(between.writes.slice(before)).toEqual([['insert registry.city']])
})
