import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Problem } from '@tillit/problem'

export interface FolderLock {
  release(): Promise<void>
}

export interface LockOptions {
  /** Tells locks of different programs on one folder apart; the socket and the file are named after it. */
  readonly name: string
  /** Said when another process holds the lock. */
  readonly otherwise: string
}

/**
 * One process at a time on a folder, which must exist. On Linux the lock is an abstract socket, which the kernel frees when its
 * process ends in whatever way; elsewhere a file that names the process. Throws Problem already-running.
 */
export async function lockFolder(folder: string, options: LockOptions): Promise<FolderLock> {
  // By its real place: two names of one folder are one folder.
  const place = realpathSync(folder)
  return process.platform === 'linux' ? lockBySocket(place, options) : lockByFile(place, options)
}

async function lockBySocket(folder: string, { name, otherwise }: LockOptions): Promise<FolderLock> {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(error.code === 'EADDRINUSE' ? alreadyRunning(otherwise) : error),
    )
    server.listen({ path: `\0tillit-${name}-${hash}` }, done)
  })
  server.unref()
  return { release: () => new Promise((done) => server.close(() => done())) }
}

async function lockByFile(folder: string, options: LockOptions): Promise<FolderLock> {
  const file = join(folder, `${options.name}.pid`)
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    if (isAlive(Number(readFileSync(file, 'utf8')))) throw alreadyRunning(options.otherwise)
    rmSync(file)
    return lockByFile(folder, options)
  }
  return { release: async () => rmSync(file, { force: true }) }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

function alreadyRunning(detail: string): Problem {
  return new Problem('already-running', { detail })
}
