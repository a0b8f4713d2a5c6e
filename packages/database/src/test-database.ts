import { randomBytes } from 'node:crypto'
import { administer, withDatabase } from './administer.ts'
import { connect, type Database, type ServiceSchema } from './connect.ts'

/** Set by the test run's global set-up: an administrator's URL, and the name of the migrated template on that server. */
export const testServerVariable = 'TILLIT_TEST_POSTGRES_URL'
export const testTemplateVariable = 'TILLIT_TEST_POSTGRES_TEMPLATE'

export interface TestDatabase {
  connect<Tables>(schema: ServiceSchema, options?: { maxConnections?: number }): Database<Tables>
  url: string
  /** Closes every handle and removes the database. */
  drop(): Promise<void>
}

/** A database of the test file's own, cloned from the template that has all migrations. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = process.env[testServerVariable]
  const template = process.env[testTemplateVariable]
  if (server === undefined || template === undefined)
    throw new Error('run tests through vitest, whose global set-up starts PostgreSQL')
  const name = `tillit_test_${randomBytes(8).toString('hex')}`
  await administer(server, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`)
  const url = withDatabase(server, name)
  const handles: Database<unknown>[] = []
  return {
    url,
    connect<Tables>(schema: ServiceSchema, options: { maxConnections?: number } = {}): Database<Tables> {
      const handle = connect<Tables>({ url, schema, ...options, onError: () => undefined })
      handles.push(handle as Database<unknown>)
      return handle
    },
    drop: async () => {
      await Promise.all(handles.map((handle) => handle.destroy()))
      await administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    },
  }
}
