import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Secp256k1Signer, secp256k1SignerFromPrivateKey } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { hexToBytes } from 'viem'
import { prepareState, putAside, stateFiles } from './anvil-state.ts'
import { anvilMissing, findAnvil } from './find-anvil.ts'
import { stopStaleProcess } from './stop-stale-process.ts'

/** The first well-known development account of anvil. Its key is public: it guards nothing outside an embedded chain. */
export function anvilAccount(): Secp256k1Signer {
  return secp256k1SignerFromPrivateKey(hexToBytes('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'))
}

const readyTimeoutMs = 15_000
const stopTimeoutMs = 5000
const firstRestartMs = 200
const longestRestartMs = 10_000

/**
 * Ends anvil when our end of its standard input closes, so that it does not outlive us even if we are killed. Anvil's pid
 * goes to a file: the next start waits for it, as it may still be writing its state.
 */
const watchdog =
  'exec 3<&0; "$@" </dev/null & anvil=$!; echo $anvil > "$PID_FILE"; ' +
  '{ cat <&3; kill $anvil; } >/dev/null 2>&1 & wait $anvil'

export interface AnvilOptions {
  /** Its folder: state, previous state, pid. */
  readonly dataDir: string
  /** A fixed port; a free one is taken without. */
  readonly port?: number
  readonly binary?: string
  /** Told in words when it died, came back, or its state was damaged. */
  readonly onEvent?: (event: string) => void
}

export interface Anvil {
  readonly rpcUrl: string
  /** Pid of the running process group's leader; for tests and status. */
  readonly pid: number | undefined
  stop(): Promise<void>
  /** Called each time the process ends without having been stopped; it is restarted by itself. */
  onExit(listener: () => void): void
}

/**
 * Starts anvil as the embedded ledger and keeps it running: it is restarted when it dies, at growing intervals. Its chain
 * survives in `dataDir`; a damaged state is put aside. Mines one block for each transaction: with a block each second its
 * state, rewritten each second, would grow by 150 MB a day. Throws Problem
 * ledger-unavailable when there is no binary or it does not start.
 */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const binary = options.binary ?? findAnvil()
  if (binary === null) throw new Problem('ledger-unavailable', { detail: anvilMissing })
  const { dataDir, onEvent = () => undefined } = options
  mkdirSync(dataDir, { recursive: true })
  const { current, pid: pidFile } = stateFiles(dataDir)
  const port = options.port ?? (await freePort())
  const rpcUrl = `http://127.0.0.1:${port}`
  const listeners: (() => void)[] = []
  const stopping = new AbortController()
  let child: ChildProcess | null = null
  let supervision: Promise<void> = Promise.resolve()

  await launch()
  return {
    rpcUrl,
    get pid() {
      return child?.pid
    },
    onExit: (listener) => {
      listeners.push(listener)
    },
    stop,
  }

  async function launch(): Promise<void> {
    await stopStaleProcess(pidFile, current)
    const aside = prepareState(dataDir)
    if (aside !== null) onEvent(`the state of the ledger was damaged and put aside as ${aside}`)
    if (await tryLaunch()) return
    // Sound JSON that anvil refuses: an older format, a file from elsewhere.
    onEvent(`the ledger does not start from its state, which is put aside as ${putAside(dataDir)}`)
    if (await tryLaunch()) return
    throw new Problem('ledger-unavailable', { detail: 'The embedded ledger (anvil) does not start' })
  }

  async function tryLaunch(): Promise<boolean> {
    // The state is written each second, so a crash of the machine loses a second of anchors; they are made again.
    const flags = [
      '--silent',
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--state',
      current,
      '--state-interval',
      '1',
    ]
    const started = spawn('sh', ['-c', watchdog, 'sh', binary ?? '', ...flags], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env.PATH, HOME: dataDir, PID_FILE: pidFile },
      detached: true,
    })
    const ended = new Promise<void>((resolve) => {
      started.once('error', () => resolve())
      started.once('exit', () => {
        started.stdin?.destroy()
        resolve()
      })
    })
    started.stdin?.on('error', () => undefined)
    started.unref()
    child = started
    if (!(await isReady(rpcUrl, started))) {
      started.stdin?.end()
      await ended
      return false
    }
    supervision = ended.then(() => revive())
    return true
  }

  async function revive(): Promise<void> {
    if (stopping.signal.aborted) return
    for (const listener of listeners) listener()
    for (let wait = firstRestartMs; !stopping.signal.aborted; wait = Math.min(2 * wait, longestRestartMs)) {
      onEvent(`the embedded ledger ended by itself and is restarted in ${wait} ms`)
      await delay(wait, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      const back = await launch().then(
        () => true,
        () => false,
      )
      if (back) return onEvent('the embedded ledger is back')
    }
  }

  async function stop(): Promise<void> {
    stopping.abort()
    // Waited for, so it must keep this process alive until then: one that runs out of things to do ends as if all were well.
    child?.ref()
    child?.stdin?.end()
    await Promise.race([supervision, delay(stopTimeoutMs, undefined, { ref: false })])
    await stopStaleProcess(pidFile, current)
  }
}

async function isReady(rpcUrl: string, child: ChildProcess): Promise<boolean> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
  const deadline = performance.now() + readyTimeoutMs
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const response = await fetch(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(1000),
    }).catch(() => null)
    if (response?.ok) return true
    await delay(30)
  }
  return false
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(address)))
    })
  })
}
