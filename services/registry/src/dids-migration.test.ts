import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OlderDatabase, olderDatabase } from './older-database.fixture.ts'

let older: OlderDatabase
beforeAll(async () => {
  older = await olderDatabase('0004')
})
afterAll(() => older.drop())

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
      VALUES (${did}, ${slug}, true, ${JSON.stringify(entries.at(-1))}, 1, now())`.execute(older.db)
    for (const [index, entry] of entries.entries())
      await sql`INSERT INTO registry.did_entries (did, version_number, version_id, line, salt, commitment, accepted_at)
        VALUES (${did}, ${index + 1}, ${`${index + 1}-x`}, ${JSON.stringify(entry)}, ${randomBytes(16)}, ${randomBytes(32)}, now())
      `.execute(older.db)
  }
  await older.migrate()
  const { rows } = await sql`SELECT slug, version_number, published_version FROM registry.dids ORDER BY slug`.execute(
    older.db,
  )
  expect(rows).toEqual([
    { slug: 'plain', version_number: 2, published_version: 2 },
    { slug: 'witnessed', version_number: 2, published_version: 0 },
    { slug: 'witnessedOnce', version_number: 3, published_version: 0 },
  ])
})
