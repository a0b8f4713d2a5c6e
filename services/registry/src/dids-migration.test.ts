import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  administer,
  connect,
  type Database,
  migrate,
  type TestDatabase,
  testDatabase,
  withDatabase,
} from '@tillit/database'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'

const migrations = fileURLToPath(new URL('../migrations/', import.meta.url))
const name = `tillit_test_${randomBytes(8).toString('hex')}`

let server: TestDatabase
let folder: string
let db: Database<unknown>
beforeAll(async () => {
  server = await testDatabase()
  folder = mkdtempSync(join(tmpdir(), 'registry-migrations-'))
  await administer(server.url, `CREATE DATABASE ${name}`)
  for (const file of readdirSync(migrations))
    if (file < '0004') copyFileSync(join(migrations, file), join(folder, file))
  await migrate(withDatabase(server.url, name), [{ schema: 'registry', folder }])
  db = connect({ url: withDatabase(server.url, name), schema: 'registry', onError: () => undefined })
})
afterAll(async () => {
  await db.destroy()
  await administer(server.url, `DROP DATABASE ${name} WITH (FORCE)`)
  rmSync(folder, { recursive: true, force: true })
  await server.drop()
})

test('DIDs of an older city stay published, except for those whose witnesses were never heard', async () => {
  const witness = { threshold: 1, witnesses: [{ id: 'did:key:z6Mk' }] }
  const histories: Record<string, object[]> = {
    plain: [{ parameters: {} }, { parameters: { witness: {} }, state: { text: 'nul \u0000' } }],
    witnessed: [{ parameters: { witness } }, { parameters: {} }],
    witnessedOnce: [{ parameters: {} }, { parameters: { witness } }, { parameters: { witness: {} } }],
  }
  for (const [slug, entries] of Object.entries(histories)) {
    const did = `did:webvh:scid:a.example:${slug}`
    await sql`INSERT INTO registry.dids (did, slug, listed, state, log_characters, created_at)
      VALUES (${did}, ${slug}, true, ${JSON.stringify(entries.at(-1))}, 1, now())`.execute(db)
    for (const [index, entry] of entries.entries())
      await sql`INSERT INTO registry.did_entries (did, version_number, version_id, line, salt, commitment, accepted_at)
        VALUES (${did}, ${index + 1}, ${`${index + 1}-x`}, ${JSON.stringify(entry)}, ${randomBytes(16)}, ${randomBytes(32)}, now())
      `.execute(db)
  }
  await migrate(withDatabase(server.url, name), [{ schema: 'registry', folder: migrations }])
  const { rows } = await sql`SELECT slug, version_number, published_version FROM registry.dids ORDER BY slug`.execute(
    db,
  )
  expect(rows).toEqual([
    { slug: 'plain', version_number: 2, published_version: 2 },
    { slug: 'witnessed', version_number: 2, published_version: 0 },
    { slug: 'witnessedOnce', version_number: 3, published_version: 0 },
  ])
})
