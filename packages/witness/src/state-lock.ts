import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Problem } from '@tillit/problem'

export interface StateLock {
  release(): Promise<void>
}

/**
 * One process at a time on a witness's folder: two that check and store by turns would cosign a fork. On Linux the lock is an
 * abstract socket, which the kernel frees when its process ends in whatever way; elsewhere a file that names the process.
 * Throws Problem already-running.
 */
export async function lockState(folder: string): Promise<StateLock> {
  const place = realpathSync(folder)
  return process.platform === 'linux' ? lockBySocket(place) : lockByFile(place)
}

async function lockBySocket(folder: string): Promise<StateLock> {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(error.code === 'EADDRINUSE' ? alreadyRunning(folder) : error),
    )
    server.listen({ path: `\0tillit-witness-${name}` }, done)
  })
  server.unref()
  return { release: () => new Promise((done) => server.close(() => done())) }
}

async function lockByFile(folder: string): Promise<StateLock> {
  const file = join(folder, 'witness.pid')
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    if (isAlive(Number(readFileSync(file, 'utf8')))) throw alreadyRunning(folder)
    rmSync(file)
    return lockByFile(folder)
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

function alreadyRunning(folder: string): Problem {
  return new Problem('already-running', { detail: `Another witness already runs on ${folder}` })
}
