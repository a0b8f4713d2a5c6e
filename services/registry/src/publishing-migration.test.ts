import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OlderDatabase, olderDatabase } from './older-database.fixture.ts'

let older: OlderDatabase
beforeAll(async () => {
  older = await olderDatabase('0003')
})
afterAll(() => older.drop())

test('what an older city signed counts as published, and its listed entries stay to be opened', async () => {
  const [listed, unlisted] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  const salt = Buffer.alloc(16, 3)
  for (const { slug, isListed, commitment } of [
    { slug: 'listed', isListed: true, commitment: listed },
    { slug: 'unlisted', isListed: false, commitment: unlisted },
  ]) {
    const did = `did:webvh:scid:a.example:${slug}`
    await sql`INSERT INTO registry.dids (did, slug, listed, state, log_characters, created_at)
      VALUES (${did}, ${slug}, ${isListed}, '{}', 1, now())`.execute(older.db)
    await sql`INSERT INTO registry.did_entries (did, version_number, version_id, line, salt, commitment, accepted_at)
      VALUES (${did}, 1, '1-x', '{}', ${salt}, ${commitment}, now())`.execute(older.db)
  }
  await sql`INSERT INTO registry.leaves VALUES (0, ${listed}, now()), (1, ${unlisted}, now())`.execute(older.db)
  const root = Buffer.alloc(32, 4)
  await sql`INSERT INTO registry.checkpoints VALUES (1, ${root}, 'one', now()), (2, ${root}, 'two', now())`.execute(
    older.db,
  )
  await sql`INSERT INTO registry.anchors VALUES (1, 'c', 't', 1, 2, ${root}, now())`.execute(older.db)

  await older.migrate()
  const published = await sql`SELECT size, note FROM registry.published_checkpoints ORDER BY size`.execute(older.db)
  expect(published.rows).toEqual([
    { size: 1, note: 'one' },
    { size: 2, note: 'two' },
  ])
  // Their leaves are hashes of the commitment alone and stay so; only the list of openings knows which are listed.
  const leaves = await sql`SELECT index, listed, public_salt FROM registry.leaves ORDER BY index`.execute(older.db)
  expect(leaves.rows).toEqual([
    { index: 0, listed: true, public_salt: null },
    { index: 1, listed: false, public_salt: null },
  ])
  await expect(sql`UPDATE registry.leaves SET listed = true`.execute(older.db)).rejects.toThrow('append-only')
})
