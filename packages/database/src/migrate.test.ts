import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, type TestDatabase, testDatabase } from './index.ts'

let database: TestDatabase
let folder: string
beforeAll(async () => {
  database = await testDatabase()
  folder = await mkdtemp(join(tmpdir(), 'tillit-migrations-'))
})
afterAll(async () => {
  await database.drop()
  await rm(folder, { recursive: true })
})

test('a database that a newer version has migrated is refused in words, before anything is changed', async () => {
  const registry = join(import.meta.dirname, '../../../services/registry/migrations')
  const newer = join(folder, 'newer')
  const older = join(folder, 'older')
  for (const copy of [newer, older]) await cp(registry, copy, { recursive: true })
  await writeFile(join(newer, '9999_of_tomorrow.sql'), 'CREATE TABLE registry.of_tomorrow (id int)')
  await writeFile(join(older, '9998_of_yesterday.sql'), 'CREATE TABLE registry.of_yesterday (id int)')
  await migrate(database.url, [{ schema: 'registry', folder: newer }])
  await migrate(database.url, [{ schema: 'registry', folder: newer }])
  await expect(migrate(database.url, [{ schema: 'registry', folder: older }])).rejects.toMatchObject({
    code: 'invalid-configuration',
    message: expect.stringContaining('newer version of Tillit: this one does not know 9999_of_tomorrow of registry'),
  })
  const { rows } = await sql<{ of_yesterday: string | null }>`
    SELECT to_regclass('registry.of_yesterday') AS of_yesterday`.execute(database.connect('registry'))
  expect(rows).toEqual([{ of_yesterday: null }])
})
