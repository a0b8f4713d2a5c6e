import { parseDid } from '@tillit/did'
import { isProblem, Problem } from '@tillit/problem'
import type { HostedDids } from './hosted-dids.ts'
import { type Loop, startLoop } from './loop.ts'
import type { RegistryPorts } from './ports.ts'
import { watchDid } from './watch-did.ts'
import type { WatchStore } from './watch-store.ts'

/** How long it is remembered that a DID could not be watched, so that asking for it does not ask its host each time. */
const failureSeconds = 180
const maxFailures = 2000
/** How often it is looked whether a watched DID is due, and how many are asked for in one go. */
const checkIntervalMs = 15_000
const checkedAtOnce = 16
/** When a host is asked again that could not be asked, or whose log did not verify. */
const retrySeconds = 600

export interface WatcherParts {
  readonly watched: WatchStore
  readonly hosted: HostedDids
  readonly ports: Pick<RegistryPorts, 'now' | 'fetchText' | 'logger'>
}

export interface Watcher {
  /** Looks at a DID as somebody says that it is to be watched or has changed. Throws Problem invalid-did and what watchDid throws. */
  watch(did: string): Promise<void>
  /** Asks the hosts of the watched DIDs that are due. */
  checkDue(): Promise<void>
  start(): void
  stop(): Promise<void>
}

/** Watches foreign DIDs, also when nobody says that they have changed. Construct one for each process. */
export function createWatcher({ watched, hosted, ports }: WatcherParts): Watcher {
  const flights = new Map<string, Promise<void>>()
  // The oldest is the first; it goes first.
  const failures = new Map<string, { readonly problem: Problem; readonly endsAt: number }>()
  let loop: Loop | null = null

  const watch = async (did: string): Promise<void> => {
    const parsed = parseDid(did)
    if (parsed.method !== 'webvh') throw new Problem('invalid-did', { detail: 'Only did:webvh is watched' })
    // A DID that lives here needs no copy.
    if (hosted.hostedIn(did) !== null) return
    const failure = failures.get(did)
    if (failure !== undefined && ports.now().getTime() < failure.endsAt) throw failure.problem
    const flight = flights.get(did) ?? look(parsed)
    flights.set(did, flight)
    try {
      await flight
    } finally {
      if (flights.get(did) === flight) flights.delete(did)
    }
  }

  const look = async (parsed: { did: string; scid: string }): Promise<void> => {
    failures.delete(parsed.did)
    try {
      await watchDid(parsed, { watched, ports })
    } catch (error) {
      if (isProblem(error)) remember(parsed.did, error)
      throw error
    }
  }

  const remember = (did: string, problem: Problem): void => {
    const [oldest] = failures.size < maxFailures ? [] : failures.keys()
    if (oldest !== undefined) failures.delete(oldest)
    failures.set(did, { problem, endsAt: ports.now().getTime() + failureSeconds * 1000 })
  }

  const check = async ({ did, scid }: { did: string; scid: string }): Promise<void> => {
    try {
      await watch(did)
    } catch (error) {
      if (!isProblem(error)) throw error
      if (error.code === 'did-history-changed')
        ports.logger.warn({}, 'the host of a watched DID shows another history than before')
    }
    // Whatever was found: nothing is asked for without end.
    const now = ports.now()
    await watched.postpone(scid, { now, checkAt: new Date(now.getTime() + retrySeconds * 1000) })
  }

  const checkDue = async (): Promise<void> => {
    const due = await watched.readDue(ports.now(), checkedAtOnce)
    await Promise.all(due.map(check))
  }

  return {
    watch,
    checkDue,
    start() {
      if (ports.fetchText === null) return
      loop ??= startLoop(checkDue, {
        intervalMs: checkIntervalMs,
        onFault: (error) => ports.logger.error({ err: error }, 'watched DIDs could not be checked'),
      })
    },
    async stop() {
      await loop?.stop()
      loop = null
    },
  }
}
