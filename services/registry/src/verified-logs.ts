import { type DidState, nextDidState, parseDidLog } from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidHead, DidReader } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'

/** How much of verified logs is kept in memory, measured by the characters of their lines. */
const maxKeptCharacters = 32 * 1024 * 1024

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
export function createVerifiedLogs(store: DidReader, { now }: Pick<RegistryPorts, 'now'>): VerifiedLogs {
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
        keep(did, log)
        return log.states
      } finally {
        underWay.delete(key)
      }
    },
    forget,
  }

  async function verifyOn(did: string, known: VerifiedLog, newestVersion: number): Promise<VerifiedLog> {
    const lines = await store.readLines(did, { from: known.states.length + 1, to: newestVersion })
    const text = lines.map((line) => `${line}\n`).join('')
    const states = [...known.states]
    for (const entry of parseDidLog(text))
      states.push(nextDidState({ state: states.at(-1) ?? null, entry, now: now() }))
    // Erased between the two reads.
    if (states.length !== newestVersion) throw new Problem('did-not-found')
    return { states, characters: known.characters + text.length }
  }

  function keep(did: string, log: VerifiedLog): void {
    if ((kept.get(did)?.states.length ?? 0) >= log.states.length) return
    forget(did)
    kept.set(did, log)
    keptCharacters += log.characters
    for (const oldest of kept.keys()) {
      if (keptCharacters <= maxKeptCharacters) return
      forget(oldest)
    }
  }

  function forget(did: string): void {
    keptCharacters -= kept.get(did)?.characters ?? 0
    kept.delete(did)
  }
}

const nothing: VerifiedLog = { states: [], characters: 0 }
