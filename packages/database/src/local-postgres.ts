import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '@tillit/problem'
import { isOpenToOthers, postgresBinaries, runsAsRoot, unprivilegedUid } from './postgres-binaries.ts'

/** How long the server may take to be ready: crash recovery of a large write-ahead log takes a while. */
const readySeconds = 120

/** How long a running query may delay a stop before the server is told to drop it. */
const stopSeconds = 15

const restartDelaysMilliseconds = [100, 500, 1_000, 2_000, 5_000]

export interface LocalPostgres {
  /** Connection string of a database of this server, as its administrator unless a role is named. */
  url(database: string, role?: string): string
  /** Stops the server and waits for it. */
  stop(): Promise<void>
}

export interface LocalPostgresOptions {
  /** Where the cluster lives; made by initdb when it is not there. */
  dataDir: string
  /** For tests: no fsync, so a power cut may lose everything. */
  throwAway?: boolean
  /** Told of deaths and restarts, in words for the operator. */
  onEvent: (event: string) => void
}

/**
 * Runs the embedded PostgreSQL on a Unix socket only. A server that dies is started again; one that an earlier process left
 * running is stopped first, which is safe because the caller holds the lock of its city.
 * Throws Problem invalid-configuration when it cannot run here.
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const dataDir = resolve(options.dataDir)
  const server: Server = {
    dataDir,
    socketDir: await makeSocketFolder(dataDir),
    binaries: postgresBinaries(),
    throwAway: options.throwAway ?? false,
    onEvent: options.onEvent,
  }
  let stopping = false
  let child = await startFirst(server)
  let restarting = Promise.resolve()
  const supervise = () => {
    child.once('exit', (code, signal) => {
      restarting = restart(code, signal)
    })
  }
  async function restart(code: number | null, signal: string | null): Promise<void> {
    if (stopping) return
    server.onEvent(`PostgreSQL ended (${signal ?? `code ${code}`}); starting it again`)
    const told = new Set<string>()
    for (let attempt = 0; ; attempt++) {
      await delay(restartDelaysMilliseconds[Math.min(attempt, restartDelaysMilliseconds.length - 1)])
      if (stopping) return
      try {
        await stopLeftover(server)
        child = await launch(server)
        server.onEvent('PostgreSQL is back')
        return supervise()
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error)
        // Its own words hold times and process ids; one reason is told once, however long it lasts.
        const reason = words.replaceAll(/\d+/g, '')
        if (!told.has(reason)) server.onEvent(`${words}; trying again until it does`)
        told.add(reason)
      }
    }
  }
  supervise()
  return {
    url: (database, role = 'postgres') =>
      `postgresql://${role}@/${database}?host=${encodeURIComponent(server.socketDir)}`,
    stop: async () => {
      stopping = true
      // A server that is just being started again ends too, whichever way its start goes.
      await restarting
      await stopChild(child)
      await rm(server.socketDir, { recursive: true, force: true })
    },
  }
}

async function startFirst(server: Server): Promise<ChildProcess> {
  try {
    await initialise(server)
    await stopLeftover(server)
    return await launch(server)
  } catch (error) {
    await rm(server.socketDir, { recursive: true, force: true })
    throw error
  }
}

interface Server {
  dataDir: string
  socketDir: string
  binaries: string
  throwAway: boolean
  onEvent: (event: string) => void
}

/** In the temporary folder, because a socket's path may be 107 bytes long at most; closed to everyone else. */
async function makeSocketFolder(dataDir: string): Promise<string> {
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16)
  const folder = join(tmpdir(), `tillit-${process.getuid?.() ?? 0}-${name}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid } = await stat(folder)
  if (uid !== process.getuid?.() && !(runsAsRoot() && uid === unprivilegedUid)) {
    throw new Problem('invalid-configuration', { detail: `${folder} belongs to someone else; remove it` })
  }
  if (runsAsRoot()) await chown(folder, unprivilegedUid, unprivilegedUid)
  return folder
}

/** Into a folder beside, then renamed: a crash in the middle of initdb leaves nothing that looks like a cluster. */
async function initialise(server: Server): Promise<void> {
  if (existsSync(join(server.dataDir, 'PG_VERSION'))) return
  await mkdir(dirname(server.dataDir), { recursive: true })
  if (runsAsRoot() && !isOpenToOthers(dirname(server.dataDir))) {
    throw new Problem('invalid-configuration', {
      detail: `PostgreSQL does not run as root, and user ${unprivilegedUid} cannot enter ${dirname(server.dataDir)}. Give DATA_DIR a folder that others may enter, or do not run as root.`,
    })
  }
  await removePartials(server)
  // A name of its own, because the initdb of a process that was killed may still be at work on its folder.
  const partial = `${server.dataDir}.partial-${randomBytes(4).toString('hex')}`
  await mkdir(partial, { mode: 0o700 })
  if (runsAsRoot()) await chown(partial, unprivilegedUid, unprivilegedUid)
  const flags = [
    '-D',
    partial,
    '-U',
    'postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
  ]
  const child = spawn(join(server.binaries, 'bin', 'initdb'), server.throwAway ? [...flags, '--no-sync'] : flags, {
    ...identity(),
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environment(),
  })
  const complaint = collect(child)
  const code = await new Promise<number | null>((done, fail) => child.once('error', fail).once('exit', done))
  if (code !== 0) {
    await removePartials(server)
    throw new Problem('invalid-configuration', {
      detail: `PostgreSQL could not make ${server.dataDir}: ${complaint()}`,
    })
  }
  await rename(partial, server.dataDir)
}

async function removePartials({ dataDir }: Server): Promise<void> {
  const folder = dirname(dataDir)
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(dataDir)}.partial`)) continue
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** Not in our process group, so that Ctrl-C reaches us only and we stop it in order. */
async function launch(server: Server): Promise<ChildProcess> {
  const settings: Record<string, string> = {
    listen_addresses: '',
    unix_socket_directories: server.socketDir,
    unix_socket_permissions: '0700',
    max_connections: '120',
    shared_buffers: '128MB',
    password_encryption: 'scram-sha-256',
    log_min_messages: 'fatal',
    log_min_error_statement: 'panic', // statements hold values, and values may be personal
    ...(server.throwAway ? { fsync: 'off', full_page_writes: 'off', max_connections: '300' } : {}),
  }
  const child = spawn(
    join(server.binaries, 'bin', 'postgres'),
    ['-D', server.dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    {
      ...identity(),
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      env: environment(),
    },
  )
  const complaint = collect(child)
  let failure: Error | null = null
  child.once('error', (error) => {
    failure = error
  })
  for (let waited = 0; waited < readySeconds * 1000; waited += 20) {
    if (failure !== null || child.exitCode !== null || child.signalCode !== null) break
    // One look for both: a killed server leaves its file with 'ready' in it until ours writes its own.
    const { pid, status } = await pidFile(server)
    if (status === 'ready' && pid === child.pid) {
      child.unref()
      return child
    }
    await delay(20)
  }
  child.kill('SIGKILL')
  throw new Problem('database-unavailable', {
    detail: `PostgreSQL did not start: ${complaint() || 'no reason given'}`,
    cause: failure,
  })
}

/** A server that survived the process which started it (kill -9) is stopped; the caller's lock says that nobody uses it. */
async function stopLeftover(server: Server): Promise<void> {
  const { pid } = await pidFile(server)
  if (pid === null || !(await isPostgresOf(pid, server.dataDir))) return
  process.kill(pid, 'SIGINT')
  for (let waited = 0; waited < stopSeconds * 1000; waited += 20) {
    if (!(await isPostgresOf(pid, server.dataDir))) return
    await delay(20)
  }
  process.kill(pid, 'SIGQUIT')
  await delay(500)
}

async function pidFile(server: Server): Promise<{ pid: number | null; status: string | null }> {
  const text = await readFile(join(server.dataDir, 'postmaster.pid'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const lines = text.split('\n')
  const pid = Number(lines[0])
  return { pid: Number.isInteger(pid) && pid > 1 ? pid : null, status: lines[7]?.trim() ?? null }
}

async function isPostgresOf(pid: number, dataDir: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
  if (process.platform !== 'linux') return true
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') // gone meanwhile
  return command.includes(dataDir)
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((done) => child.once('exit', done))
  child.ref()
  child.kill('SIGINT') // fast shutdown: sessions are ended, everything committed is kept
  const timers = [
    setTimeout(() => child.kill('SIGQUIT'), stopSeconds * 1000),
    // One that hangs hears nothing else; the next start recovers from what was committed.
    setTimeout(() => child.kill('SIGKILL'), 2 * stopSeconds * 1000),
  ]
  await ended
  for (const timer of timers) clearTimeout(timer)
}

/** The city's environment holds secrets, and the server needs none of it. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: 'C', TZ: 'UTC' }
}

function identity(): { uid?: number; gid?: number } {
  return runsAsRoot() ? { uid: unprivilegedUid, gid: unprivilegedUid } : {}
}

/** The last lines that the process wrote to its standard error. */
function collect(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8')
  child.stderr?.on('data', (chunk: string) => {
    text = (text + chunk).slice(-2000)
  })
  return () => text.trim()
}
