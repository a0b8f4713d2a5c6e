import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { Problem } from '@tillit/problem'

export interface CityLock {
  release(): Promise<void>
}

/**
 * One city at a time on a data folder. On Linux the lock is an abstract socket, which the kernel frees when its process
 * ends in whatever way; elsewhere a file that names the process. Throws Problem already-running.
 */
export async function lockCity(dataDir: string): Promise<CityLock> {
  return process.platform === 'linux' ? lockBySocket(dataDir) : lockByFile(dataDir)
}

async function lockBySocket(dataDir: string): Promise<CityLock> {
  const name = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(error.code === 'EADDRINUSE' ? alreadyRunning(dataDir) : error),
    )
    server.listen({ path: `\0tillit-${name}` }, done)
  })
  server.unref()
  return { release: () => new Promise((done) => server.close(() => done())) }
}

async function lockByFile(dataDir: string): Promise<CityLock> {
  const file = join(dataDir, 'city.pid')
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    if (isAlive(Number(readFileSync(file, 'utf8')))) throw alreadyRunning(dataDir)
    rmSync(file)
    return lockByFile(dataDir)
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

function alreadyRunning(dataDir: string): Problem {
  return new Problem('already-running', {
    detail: `Another city already runs on ${resolve(dataDir)}. Stop it first, or give DATA_DIR and PORT another value.`,
  })
}
