import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addToOutbox, problemOfDatabaseError, sqlState, type TestDatabase, testDatabase } from './index.ts'

interface Outboxes {
  'registry.outbox': { id: number; kind: string; commitment: Buffer }
  'metering.outbox': { id: number; kind: string; commitment: Buffer }
}

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

test('a service runs as its own role and cannot write the tables of another', async () => {
  const metering = database.connect<Outboxes>('metering')
  const role = await sql<{ role: string }>`SELECT current_user AS role`.execute(metering)
  expect(role.rows[0]?.role).toBe('tillit_metering')
  await addToOutbox(metering, 'metering', { kind: 'access-record', commitment: new Uint8Array(32) })
  const refused = await addToOutbox(metering, 'registry', { kind: 'did', commitment: new Uint8Array(32) }).catch(
    (error) => error,
  )
  expect(sqlState(refused)).toBe('42501')
})

test('a commitment of another length than 32 bytes never enters an outbox', async () => {
  const metering = database.connect<Outboxes>('metering')
  const refused = await addToOutbox(metering, 'metering', {
    kind: 'access-record',
    commitment: new Uint8Array(31),
  }).catch((error) => error)
  expect(sqlState(refused)).toBe('23514')
})

test('bigint arrives as a number and never as a rounded one', async () => {
  const metering = database.connect<Outboxes>('metering')
  const exact = await sql<{ n: number }>`SELECT 9007199254740991::bigint AS n`.execute(metering)
  expect(exact.rows[0]?.n).toBe(Number.MAX_SAFE_INTEGER)
  await expect(sql`SELECT 9007199254740993::bigint AS n`.execute(metering)).rejects.toThrow(RangeError)
})

test.each([
  ['a text with U+0000', sql`SELECT ${'a\0b'}::text`],
  ['JSON with U+0000', sql`SELECT ${JSON.stringify({ text: '\0' })}::jsonb`],
  ['a time before the calendar begins', sql`SELECT ${new Date(-8.64e15)}::timestamptz`],
])('%s from a request is the request’s fault, not ours', async (_, query) => {
  const refused = await query.execute(database.connect<Outboxes>('metering')).catch((error) => error)
  expect(problemOfDatabaseError(refused)).toMatchObject({ code: 'invalid-request' })
})

test.each([
  ['metering', 'DELETE FROM metering.access_records'],
  ['metering', 'UPDATE metering.access_records SET entry = entry'],
  ['registry', 'DELETE FROM registry.leaves'],
] as const)('the role of %s cannot %s', async (schema, statement) => {
  await expect(sql.raw(statement).execute(database.connect(schema))).rejects.toThrow('append-only')
})
