import { chmod, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  administer,
  allowLogins,
  migrate,
  roleOf,
  type ServiceSchema,
  startLocalPostgres,
  withDatabase,
} from '@tillit/database'
import type { KeyStore } from '@tillit/key-store'
import type { Config } from './config.ts'
import { migrations } from './migrations.ts'
import { postgresFolder } from './postgres-folder.ts'

export interface CityDatabase {
  /** An administrator's way in. */
  url: string
  /** A service's way in. */
  urlOf(schema: ServiceSchema): string
  stop(): Promise<void>
}

/** The database of DATABASE_URL, or the embedded one; migrated either way. */
export async function startDatabase(
  config: Config,
  keys: KeyStore,
  onEvent: (event: string) => void,
): Promise<CityDatabase> {
  if (config.databaseUrl !== null) {
    const url = config.databaseUrl
    await migrate(url, migrations)
    return { url, urlOf: () => url, stop: async () => undefined }
  }
  const dataDir = await postgresFolder(config.dataDir, keys)
  await mkdir(dirname(dataDir), { recursive: true, mode: 0o755 })
  await chmod(dirname(dataDir), 0o755)
  const postgres = await startLocalPostgres({ dataDir, onEvent })
  try {
    await createDatabase(postgres.url('postgres'))
    const url = withDatabase(postgres.url('postgres'), 'tillit')
    await migrate(url, migrations)
    await allowLogins(url)
    return { url, urlOf: (schema) => postgres.url('tillit', roleOf(schema)), stop: postgres.stop }
  } catch (error) {
    await postgres.stop()
    throw error
  }
}

async function createDatabase(url: string): Promise<void> {
  try {
    await administer(url, 'CREATE DATABASE tillit')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === '42P04')) throw error // duplicate_database
  }
}
