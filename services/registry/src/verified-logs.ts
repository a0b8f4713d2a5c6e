import { setImmediate as nextTurn } from 'node:timers/promises'
import { type DidState, nextDidState, parseDidLog } from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidHead, DidReader } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'

/** How much of verified logs is kept in memory, measured by the characters of their lines. */
const maxKeptCharacters = 32 * 1024 * 1024

/** Entries verified before others get their turn: some milliseconds of work, where a whole log may take a second. */
const verifiedAtOnce = 32

/** The states of the DIDs that live here, verified once for each process and then only as far as entries were added. */
export interface VerifiedLogs {
  /** All accepted versions, also those that are not published. */
  statesOf(head: Pick<DidHead, 'did' | 'newestVersion'>): Promise<readonly DidState[]>
  forget(did: string): void
}

interface VerifiedLog {
  readonly states: readonly DidState[]
  readonly characters: number
}

/** A log only ever grows, so the number of its versions tells whether what is kept is all of it. */
export function createVerifiedLogs(
  store: Pick<DidReader, 'readLines'>,
  { now }: Pick<RegistryPorts, 'now'>,
): VerifiedLogs {
  // The one unused for longest is the first; it goes first.
  const kept = new Map<string, VerifiedLog>()
  const underWay = new Map<string, Promise<VerifiedLog>>()
  let keptCharacters = 0

  return {
    async statesOf({ did, newestVersion }) {
      const known = kept.get(did)
      if (known !== undefined && known.states.length >= newestVersion) {
        kept.delete(did)
        kept.set(did, known)
        return known.states.slice(0, newestVersion)
      }
      const key = `${newestVersion} ${did}`
      const flight = underWay.get(key) ?? verifyOn(did, known ?? nothing, newestVersion)
      underWay.set(key, flight)
      try {
        const log = await flight
        if (underWay.get(key) === flight) keep(did, log)
        return log.states
      } finally {
        if (underWay.get(key) === flight) underWay.delete(key)
      }
    },
    forget(did) {
      // What is being verified is for whoever waits for it, and then for nobody.
      for (const key of underWay.keys()) if (key.endsWith(` ${did}`)) underWay.delete(key)
      drop(did)
    },
  }

  async function verifyOn(did: string, known: VerifiedLog, newestVersion: number): Promise<VerifiedLog> {
    const lines = await store.readLines(did, { from: known.states.length + 1, to: newestVersion })
    const text = lines.map((line) => `${line}\n`).join('')
    const states = [...known.states]
    for (const [index, entry] of parseDidLog(text).entries()) {
      if (index > 0 && index % verifiedAtOnce === 0) await nextTurn()
      states.push(nextDidState({ state: states.at(-1) ?? null, entry, now: now() }))
    }
    // Erased between the two reads.
    if (states.length !== newestVersion) throw new Problem('did-not-found')
    return { states, characters: known.characters + text.length }
  }

  function keep(did: string, log: VerifiedLog): void {
    if ((kept.get(did)?.states.length ?? 0) >= log.states.length) return
    drop(did)
    kept.set(did, log)
    keptCharacters += log.characters
    for (const oldest of kept.keys()) {
      if (keptCharacters <= maxKeptCharacters) return
      drop(oldest)
    }
  }

  function drop(did: string): void {
    keptCharacters -= kept.get(did)?.characters ?? 0
    kept.delete(did)
  }
}

const nothing: VerifiedLog = { states: [], characters: 0 }
