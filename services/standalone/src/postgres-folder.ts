import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { isOpenToOthers, runsAsRoot } from '@tillit/database'
import type { KeyStore } from '@tillit/key-store'

/**
 * Where the embedded PostgreSQL keeps its cluster: with the rest of the data, unless the city runs as root in a folder that
 * PostgreSQL's own user cannot enter. Then it is a folder under /var/lib, whose name is kept with the data, so that both
 * are found, or thrown away, together.
 */
export async function postgresFolder(dataDir: string, keys: KeyStore): Promise<string> {
  if (!runsAsRoot() || isOpenToOthers(dataDir)) return join(dataDir, 'postgres')
  const name = await keys.secret('postgres-folder', () => `tillit-${randomBytes(8).toString('hex')}`)
  return join('/var/lib', name, 'postgres')
}
