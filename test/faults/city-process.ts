import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../journeys/free-port.ts'
import { type Process, processesOf } from './processes-of.ts'

const main = fileURLToPath(new URL('../../services/standalone/src/main.ts', import.meta.url))
const readyWords = 'Ctrl-C stops everything'

export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
  /** From the signal, or else from the start. */
  milliseconds: number
}

/** A city as its operator has it: a process of its own group, seen from outside only. */
export interface CityProcess {
  readonly url: string
  readonly pid: number
  readonly stdout: string
  readonly stderr: string
  readonly running: boolean
  /** Waits for the banner and gives how long that took from the start, in milliseconds. Fails when the city ends instead. */
  ready(): Promise<number>
  /** Waits until standard error holds these words. */
  says(words: string): Promise<void>
  /** As the terminal does with Ctrl-C: to the whole process group. */
  interrupt(signal?: NodeJS.Signals): Promise<Ending>
  /** To the city's process alone, which gets no chance to end what it started. */
  killHard(): Promise<void>
  ended: Promise<Ending>
}

/** A folder and a port on which cities are started, one after the other or at once. */
export interface Site {
  readonly dataDir: string
  readonly port: number
  start(env?: Record<string, string>): CityProcess
  /** What runs on the data folder now, whoever started it. */
  processes(): Process[]
  /** Everything that the cities of this site wrote to standard error. */
  logs(): string
  /** Kills what still runs and removes the folder. */
  clear(): Promise<void>
}

export async function openSite(options: { dataDir?: string } = {}): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'tillit-faults-'))
  await chmod(folder, 0o755)
  const dataDir = options.dataDir ?? join(folder, 'city')
  const port = await freePort()
  const started: CityProcess[] = []
  return {
    dataDir,
    port,
    start(env = {}) {
      const city = startProcess({ PORT: String(port), DATA_DIR: dataDir, ...env })
      started.push(city)
      return city
    },
    processes: () => processesOf(dataDir),
    logs: () => started.map(({ stderr }) => stderr).join(''),
    async clear() {
      for (const city of started) if (city.running) await city.killHard()
      for (const { pid } of processesOf(dataDir)) kill(pid, 'SIGKILL')
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}

function startProcess(env: Record<string, string>): CityProcess {
  const began = performance.now()
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const { pid } = child
  if (pid === undefined) throw new Error('the city was not started')
  const output = watch(child)
  let since = began
  const ended = new Promise<Ending>((done) =>
    child.once('close', (code, signal) => done({ code, signal, milliseconds: performance.now() - since })),
  )
  const running = () => child.exitCode === null && child.signalCode === null
  return {
    url: `http://127.0.0.1:${env.PORT}`,
    pid,
    get stdout() {
      return output.stdout
    },
    get stderr() {
      return output.stderr
    },
    get running() {
      return running()
    },
    ended,
    async ready() {
      await output.until(ended, ({ stdout }) => stdout.includes(readyWords))
      return performance.now() - began
    },
    says: (words) => output.until(ended, ({ stderr }) => stderr.includes(words)),
    interrupt(signal = 'SIGINT') {
      since = performance.now()
      kill(-pid, signal)
      return ended
    },
    async killHard() {
      kill(pid, 'SIGKILL')
      await ended
    },
  }
}

interface Output {
  stdout: string
  stderr: string
}

function watch(child: ChildProcess) {
  const output: Output & { until: typeof until } = { stdout: '', stderr: '', until }
  const waiting = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8')
    child[name]?.on('data', (text: string) => {
      output[name] += text
      for (const look of waiting) look()
    })
  }
  return output

  function until(ended: Promise<Ending>, holds: (output: Output) => boolean): Promise<void> {
    return new Promise((done, fail) => {
      const look = () => {
        if (!holds(output)) return
        waiting.delete(look)
        done()
      }
      waiting.add(look)
      look()
      void ended.then(({ code }) => fail(new Error(`the city ended with code ${code}:\n${output.stderr}`)))
    })
  }
}

/** One that ended meanwhile needs no signal. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
