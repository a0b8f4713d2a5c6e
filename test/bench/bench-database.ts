import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, startLocalPostgres, withDatabase } from '@tillit/database'
import pg from 'pg'
import { migrations } from '../../services/standalone/src/migrations.ts'

export interface BenchDatabase {
  url: string
  /** As the administrator, for preparing and for looking at what came of it. */
  admin: pg.Client
  close(): Promise<void>
}

/** A migrated PostgreSQL of its own in a throw-away folder, as durable as in a city. Throws when it would not be. */
export async function openBenchDatabase(): Promise<BenchDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'tillit-bench-'))
  await chmod(folder, 0o755)
  const postgres = await startLocalPostgres({
    dataDir: join(folder, 'postgres'),
    onEvent: (event) => console.error(event),
  })
  const close = async () => {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const url = withDatabase(postgres.url('postgres'), 'bench')
    await runAlone(postgres.url('postgres'), 'CREATE DATABASE bench')
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

async function runAlone(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}
