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
    if (file < '0003') copyFileSync(join(migrations, file), join(folder, file))
  await migrate(withDatabase(server.url, name), [{ schema: 'registry', folder }])
  db = connect({ url: withDatabase(server.url, name), schema: 'registry', onError: () => undefined })
})
afterAll(async () => {
  await db.destroy()
  await administer(server.url, `DROP DATABASE ${name} WITH (FORCE)`)
  rmSync(folder, { recursive: true, force: true })
  await server.drop()
})

test('what an older city signed counts as published, and its listed entries stay to be opened', async () => {
  const [listed, unlisted] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  const salt = Buffer.alloc(16, 3)
  for (const { slug, isListed, commitment } of [
    { slug: 'listed', isListed: true, commitment: listed },
    { slug: 'unlisted', isListed: false, commitment: unlisted },
  ]) {
    const did = `did:webvh:scid:a.example:${slug}`
    await sql`INSERT INTO registry.dids (did, slug, listed, state, log_characters, created_at)
      VALUES (${did}, ${slug}, ${isListed}, '{}', 1, now())`.execute(db)
    await sql`INSERT INTO registry.did_entries (did, version_number, version_id, line, salt, commitment, accepted_at)
      VALUES (${did}, 1, '1-x', '{}', ${salt}, ${commitment}, now())`.execute(db)
  }
  await sql`INSERT INTO registry.leaves VALUES (0, ${listed}, now()), (1, ${unlisted}, now())`.execute(db)
  const root = Buffer.alloc(32, 4)
  await sql`INSERT INTO registry.checkpoints VALUES (1, ${root}, 'one', now()), (2, ${root}, 'two', now())`.execute(db)
  await sql`INSERT INTO registry.anchors VALUES (1, 'c', 't', 1, 2, ${root}, now())`.execute(db)

  await migrate(withDatabase(server.url, name), [{ schema: 'registry', folder: migrations }])
  const published = await sql`SELECT size, note FROM registry.published_checkpoints ORDER BY size`.execute(db)
  expect(published.rows).toEqual([
    { size: 1, note: 'one' },
    { size: 2, note: 'two' },
  ])
  // Their leaves are hashes of the commitment alone and stay so; only the list of openings knows which are listed.
  const leaves = await sql`SELECT index, listed, public_salt FROM registry.leaves ORDER BY index`.execute(db)
  expect(leaves.rows).toEqual([
    { index: 0, listed: true, public_salt: null },
    { index: 1, listed: false, public_salt: null },
  ])
  await expect(sql`UPDATE registry.leaves SET listed = true`.execute(db)).rejects.toThrow('append-only')
})
