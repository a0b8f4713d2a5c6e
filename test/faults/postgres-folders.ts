import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where the embedded PostgreSQL of a data folder that others may enter keeps its cluster and its socket. */
export function postgresFolders(dataDir: string): { cluster: string; sockets: string } {
  const cluster = resolve(dataDir, 'postgres')
  const name = createHash('sha256').update(cluster).digest('hex').slice(0, 16)
  return { cluster, sockets: join(tmpdir(), `tillit-${process.getuid?.() ?? 0}-${name}`) }
}

/** The process id of the embedded PostgreSQL of a data folder. */
export function postmaster(dataDir: string): number {
  return Number(readFileSync(join(postgresFolders(dataDir).cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
}
