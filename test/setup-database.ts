import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  administer,
  migrate,
  startLocalPostgres,
  testServerVariable,
  testTemplateVariable,
  withDatabase,
} from '@tillit/database'
import { migrations } from '../services/standalone/src/migrations.ts'

/** Starts a throw-away PostgreSQL (or uses DATABASE_URL) and migrates the template that each test file clones. */
export default async function setup(): Promise<() => Promise<void>> {
  const given = process.env.DATABASE_URL
  const server =
    given === undefined || given === '' ? await startThrowAway() : { url: given, stop: async () => undefined }
  const template = `tillit_template_${randomBytes(6).toString('hex')}`
  try {
    await administer(server.url, `CREATE DATABASE ${template}`)
    await migrate(withDatabase(server.url, template), migrations)
  } catch (error) {
    await server.stop()
    throw error
  }
  process.env[testServerVariable] = server.url
  process.env[testTemplateVariable] = template
  return async () => {
    await administer(server.url, `DROP DATABASE IF EXISTS ${template} WITH (FORCE)`)
    await server.stop()
  }
}

async function startThrowAway(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'tillit-test-'))
  chmodSync(folder, 0o755)
  const postgres = await startLocalPostgres({
    dataDir: join(folder, 'postgres'),
    throwAway: true,
    onEvent: (event) => console.error(event),
  })
  return {
    url: postgres.url('postgres'),
    stop: async () => {
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
