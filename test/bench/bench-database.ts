import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { administer, migrate, startLocalPostgres, withDatabase } from '@tillit/database'
import pg from 'pg'
import { migrations } from '../../services/standalone/src/migrations.ts'

export interface BenchDatabase {
  url: string
  /** As the administrator, for preparing and for looking at what came of it. */
  admin: pg.Client
  close(): Promise<void>
}

interface Server {
  /** As the administrator, to any database of it. */
  url: string
  stop(): Promise<void>
}

/**
 * A migrated database of its own, as durable as in a city: on the server of DATABASE_URL, or on a PostgreSQL in a throw-away folder.
 * Throws when it would not be durable.
 */
export async function openBenchDatabase(serverUrl = process.env.DATABASE_URL): Promise<BenchDatabase> {
  const server = serverUrl === undefined ? await startServer() : { url: serverUrl, stop: async () => undefined }
  const name = `tillit_bench_${process.pid}`
  const close = async () => {
    await administer(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await server.stop()
  }
  try {
    const url = withDatabase(server.url, name)
    await administer(server.url, `CREATE DATABASE ${name}`)
    await migrate(url, migrations)
    const admin = new pg.Client({ connectionString: url })
    await admin.connect()
    for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
      const { rows } = await admin.query(`SHOW ${setting}`)
      if (rows[0]?.[setting] !== 'on') throw new Error(`${setting} is off: nothing would be durable`)
    }
    return { url, admin, close: () => admin.end().then(close) }
  } catch (error) {
    await close()
    throw error
  }
}

async function startServer(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'tillit-bench-'))
  await chmod(folder, 0o755)
  const postgres = await startLocalPostgres({
    dataDir: join(folder, 'postgres'),
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
