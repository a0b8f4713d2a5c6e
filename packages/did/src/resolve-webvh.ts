import { isProblem, Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import { type DidState, nextDidState } from './next-state.ts'
import { refuseEntry } from './refuse-entry.ts'
import { parseUtc } from './version-time.ts'

/** Which version of a did:webvh is asked for; at most one of the three, none for the newest. */
export interface VersionQuery {
  readonly versionId?: string
  /** ISO 8601 in UTC: the version that was active then. */
  readonly versionTime?: string
  readonly versionNumber?: number
}

export interface ResolvedVersion {
  readonly version: DidState
  /** The newest valid version: what it says of deactivation and updates holds for the whole DID. */
  readonly latest: DidState
}

/**
 * Verifies the log and picks a version. An older version that is named is given even when a later entry is invalid (did:webvh
 * v1.0, "Read"). Throws Problem invalid-did-log and the like, and did-not-found when there was no such version.
 */
export function resolveVersion(
  did: string,
  entries: readonly DidLogEntry[],
  query: VersionQuery & { now: Date },
): ResolvedVersion {
  const { states, fault } = verifiedStates(entries, query.now)
  const latest = states.at(-1)
  if (latest === undefined) throw fault ?? refuseEntry('The log is empty', '')
  if (!states.some((state) => state.did === did))
    throw fault ?? new Problem('invalid-did-log', { detail: 'The log is that of another DID' })
  const version = pick(states, query)
  // What is the newest version, now or at a time, an invalid successor leaves open; a named version it does not.
  const byName = query.versionId !== undefined || query.versionNumber !== undefined
  if (fault !== null && (version === undefined || (!byName && version === latest))) throw fault
  if (version === undefined) throw new Problem('did-not-found', { detail: 'The DID has no such version' })
  return { version, latest }
}

function verifiedStates(entries: readonly DidLogEntry[], now: Date): { states: DidState[]; fault: Problem | null } {
  const states: DidState[] = []
  for (const entry of entries) {
    try {
      states.push(nextDidState({ state: states.at(-1) ?? null, entry, now }))
    } catch (error) {
      if (!isProblem(error)) throw error
      return { states, fault: error }
    }
  }
  return { states, fault: null }
}

function pick(states: readonly DidState[], query: VersionQuery): DidState | undefined {
  const { versionId, versionTime, versionNumber } = query
  if ([versionId, versionTime, versionNumber].filter((value) => value !== undefined).length > 1)
    throw new Problem('invalid-request', {
      detail: 'Only one of versionId, versionTime and versionNumber can be given',
    })
  if (versionId !== undefined) return states.find((state) => state.versionId === versionId)
  if (versionNumber !== undefined) return states.find((state) => state.versionNumber === versionNumber)
  if (versionTime === undefined) return states.at(-1)
  const time = parseUtc(versionTime)
  if (time === null) throw new Problem('invalid-request', { detail: 'The versionTime is not an ISO 8601 time in UTC' })
  return states.findLast((state) => (parseUtc(state.versionTime) ?? Number.POSITIVE_INFINITY) <= time)
}
