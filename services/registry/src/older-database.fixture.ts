import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { administer, connect, type Database, migrate, testDatabase, withDatabase } from '@tillit/database'

const migrations = fileURLToPath(new URL('../migrations/', import.meta.url))

export interface OlderDatabase {
  readonly db: Database<unknown>
  /** Brings it to where the registry is today. */
  migrate(): Promise<void>
  drop(): Promise<void>
}

/** The database of a registry that has run none of its migrations from the number on (four digits). */
export async function olderDatabase(before: string): Promise<OlderDatabase> {
  const name = `tillit_test_${randomBytes(8).toString('hex')}`
  const server = await testDatabase()
  const url = withDatabase(server.url, name)
  const folder = mkdtempSync(join(tmpdir(), 'registry-migrations-'))
  await administer(server.url, `CREATE DATABASE ${name}`)
  for (const file of readdirSync(migrations))
    if (file < before) copyFileSync(join(migrations, file), join(folder, file))
  await migrate(url, [{ schema: 'registry', folder }])
  const db = connect({ url, schema: 'registry', onError: () => undefined })
  return {
    db,
    migrate: () => migrate(url, [{ schema: 'registry', folder: migrations }]),
    drop: async () => {
      await db.destroy()
      await administer(server.url, `DROP DATABASE ${name} WITH (FORCE)`)
      rmSync(folder, { recursive: true, force: true })
      await server.drop()
    },
  }
}
