import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { administer, connect, migrate, testDatabase, withDatabase } from '@tillit/database'
import { sql } from 'kysely'
import { expect, test } from 'vitest'

const migrations = fileURLToPath(new URL('../migrations/', import.meta.url))

test('a city that accredited before says afterwards what for, and its credentials keep their status', async () => {
  const server = await testDatabase()
  const name = `tillit_test_${randomBytes(8).toString('hex')}`
  const url = withDatabase(server.url, name)
  await administer(server.url, `CREATE DATABASE ${name}`)
  const folder = mkdtempSync(join(tmpdir(), 'credentials-migrations-'))
  for (const file of readdirSync(migrations))
    if (file < '0003') copyFileSync(join(migrations, file), join(folder, file))
  await migrate(url, [{ schema: 'credentials', folder }])
  const db = connect<unknown>({ url, schema: 'credentials', onError: () => undefined })
  try {
    const id = `cred_${'A'.repeat(22)}`
    await sql`INSERT INTO credentials.status_lists (size, bitmap) VALUES (16, decode('00000000', 'hex'))`.execute(db)
    await sql`INSERT INTO credentials.status_index VALUES (1, 7)`.execute(db)
    await sql`INSERT INTO credentials.issued_credentials
        (id, type, issuer_did, holder, status, status_list_id, status_index, sha256, credential, issued_at)
      VALUES (${id}, 'OrganisationCredential', 'did:key:root', 'did:key:a', 'suspended', 1, 7, ${Buffer.alloc(32)}, 'x', now())`.execute(
      db,
    )
    await sql`INSERT INTO credentials.parties VALUES
      ('did:key:a', 'A', '1', 'NO', '{utility}', '{billing}', 'SUSPENDED', ${id}, false, now())`.execute(db)
    await sql`INSERT INTO credentials.accreditation_events (did, event, actor, credential_id, at) VALUES
      ('did:key:a', 'accredited', 'did:key:root', ${id}, now()),
      ('did:key:a', 'suspended', 'did:key:root', ${id}, now())`.execute(db)

    await migrate(url, [{ schema: 'credentials', folder: migrations }])
    const events = await sql`SELECT event, roles, purposes FROM credentials.accreditation_events ORDER BY id`.execute(
      db,
    )
    expect(events.rows).toEqual([
      { event: 'accredited', roles: ['utility'], purposes: ['billing'] },
      { event: 'suspended', roles: null, purposes: null },
    ])
    const issued = await sql`SELECT status, status_index FROM credentials.issued_credentials`.execute(db)
    expect(issued.rows).toEqual([{ status: 'suspended', status_index: 7 }])
    // Without its foreign keys an index is still given out once only.
    await expect(sql`INSERT INTO credentials.status_index VALUES (1, 7)`.execute(db)).rejects.toThrow('duplicate key')
  } finally {
    await db.destroy()
    await administer(server.url, `DROP DATABASE ${name} WITH (FORCE)`)
    rmSync(folder, { recursive: true, force: true })
    await server.drop()
  }
})
