import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { fetchFromCity, type MonitorEvent, type MonitorState, monitorCity, parseMonitorState } from '@tillit/client'
import { fromUtf8, parseJson } from '@tillit/codec'
import { cityAt, cityUrl } from '../city-at.ts'
import { onlyArgument, UsageError, wrongCall } from '../usage-error.ts'
import { findLedger } from './ledger-place.ts'
import { forTerminal, readTrust, trustUsage } from './trust-options.ts'

export const monitorUsage = `tillit monitor URL [--state FILE] [--interval SECONDS] [--once] [--policy FILE] [--vkey KEY]
               [--contract 0x…] [--ledger URL] [--stale SECONDS] [--unanchored SECONDS]
               [--webhook URL] [--json]
  Follows a city's log: each head must extend the one before. One line for each alert, when it begins
  and when it ends: a fork, a log that shrank, a quorum that is lost, entries that wait for a
  checkpoint or for the ledger, keys that changed. Ctrl-C ends it; exit status 1 when an alert
  stands.
  --state     file that remembers the last head; without it a monitor starts anew each time. Both
              notes of a fork are written beside it
  --interval  seconds between two looks (10)
  --once      look once
${trustUsage}
  --contract  the anchor contract as you know it; with it or --ledger the ledger itself is read
  --ledger    JSON-RPC URL of a node of yours
  --stale     how long entries may wait for a published checkpoint (300 seconds)
  --unanchored  how long published entries may wait for the ledger (1800 seconds)
  --webhook   URL that each alert is posted to as JSON
  --json      each alert as an object for programs`

const webhookTimeoutMilliseconds = 10_000
const maxSeconds = 365 * 86_400

/** Exit status 0: no alert stands; 1: one does (at the end of `--once`, or when it was told to stop). */
export async function monitor(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      state: { type: 'string' },
      interval: { type: 'string', default: '10' },
      once: { type: 'boolean', default: false },
      policy: { type: 'string' },
      vkey: { type: 'string' },
      contract: { type: 'string' },
      ledger: { type: 'string' },
      stale: { type: 'string' },
      unanchored: { type: 'string' },
      webhook: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const url = cityUrl(onlyArgument(positionals, { name: 'URL', usage: monitorUsage }))
  const intervalSeconds = secondsOf('interval', values) ?? 10
  const stop = new AbortController()
  const options = {
    ...(await readTrust(values)),
    ...optional('staleSeconds', secondsOf('stale', values)),
    ...optional('unanchoredSeconds', secondsOf('unanchored', values)),
    fetchCity: fetchFromCity(url, { signal: stop.signal }),
    now: () => new Date(),
    ...(values.ledger === undefined && values.contract === undefined ? {} : await ledgerHead(url, values)),
  }
  const end = () => stop.abort()
  process.once('SIGINT', end).once('SIGTERM', end)
  let state = values.state === undefined ? undefined : await readState(values.state)
  try {
    for (;;) {
      const round = await monitorCity({ ...options, ...optional('state', state) })
      // A look that was cut off says nothing.
      if (stop.signal.aborted) break
      state = round.state
      // Evidence first: once the state says that the alert was raised, nobody writes it again.
      for (const event of round.events) await tell(event, { url, ...values })
      if (values.state !== undefined) await writeState(values.state, state)
      if (values.once) break
      await delay(intervalSeconds * 1000, undefined, { signal: stop.signal })
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    process.removeListener('SIGINT', end).removeListener('SIGTERM', end)
  }
  return state === undefined || state.alerts.length === 0 ? 0 : 1
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [K in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [K in Name]: Value })
}

function secondsOf<Name extends string>(name: Name, values: { [K in Name]?: string | undefined }): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (seconds >= 1 && seconds <= maxSeconds) return seconds
  throw wrongCall(`--${name} takes a number of seconds.`, monitorUsage)
}

async function ledgerHead(url: string, values: { ledger?: string | undefined; contract?: string | undefined }) {
  const place = await findLedger(cityAt(url), values)
  if ('absent' in place) throw new UsageError(`The ledger cannot be read: ${place.absent}`)
  const { readAnchorContract } = await import('@tillit/ledger/read')
  return { readLedgerHead: async () => (await readAnchorContract(place)).latest }
}

interface Telling {
  readonly url: string
  readonly state?: string | undefined
  readonly webhook?: string | undefined
  readonly json: boolean
}

async function tell(event: MonitorEvent, { url, state, webhook, json }: Telling): Promise<void> {
  const { type, code, what, evidence } = event
  const file = evidence === undefined ? null : await keepEvidence(evidence, state)
  const told = { at: new Date().toISOString(), city: url, type, code, what, evidence: file }
  const mark = { verified: '✓', raised: '✗', cleared: '✓ over:' }[type]
  const line = `${told.at} ${mark} ${code === null ? '' : `${code}: `}${what}${file === null ? '' : ` (evidence in ${file})`}`
  console.log(json ? JSON.stringify(told) : forTerminal(line))
  if (webhook !== undefined && type !== 'verified') await post(webhook, told)
}

/** The two notes prove by themselves that the log broke its word, so they are kept whatever comes after. */
async function keepEvidence(evidence: readonly [string, string], state: string | undefined): Promise<string> {
  const text = evidence.join('\n')
  const name = `tillit-evidence-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.txt`
  const file = join(state === undefined ? '.' : dirname(state), name)
  await writeFile(file, text)
  return file
}

async function post(webhook: string, told: object): Promise<void> {
  try {
    const reply = await fetch(webhook, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(told),
      redirect: 'error',
      signal: AbortSignal.timeout(webhookTimeoutMilliseconds),
    })
    await reply.body?.cancel()
    if (!reply.ok) console.error(`The webhook answered ${reply.status}`)
  } catch (error) {
    console.error(`The webhook did not answer: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}

/** Nothing there yet is a first look; a damaged file is refused, as a monitor that forgets misses forks. */
async function readState(file: string): Promise<MonitorState | undefined> {
  try {
    return parseMonitorState(parseJson(fromUtf8(await readFile(file))))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Written beside, flushed, renamed: a crash leaves the state of before or the new one. */
async function writeState(file: string, state: MonitorState): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const beside = `${file}.new`
  const handle = await open(beside, 'w')
  try {
    await handle.writeFile(`${JSON.stringify(state)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(beside, file)
}
