import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import type { DidState } from './next-state.ts'
import { refuseEntry } from './refuse-entry.ts'
import { verifyDidLogStates } from './verify-log.ts'
import { parseUtc } from './version-time.ts'
import type { WitnessProofs } from './witness-file.ts'
import { witnessedPrefix } from './witness-proofs.ts'

/** Which version of a did:webvh is asked for; at most one of the three, none for the newest. */
export interface VersionQuery {
  readonly versionId?: string
  /** ISO 8601 in UTC: the version that was active then. */
  readonly versionTime?: string
  readonly versionNumber?: number
}

export interface ResolveVersionOptions extends VersionQuery {
  readonly now: Date
  /** The items of the DID's `did-witness.json`; asked for only when the log names witnesses. */
  readonly witnessProofs: () => Promise<readonly WitnessProofs[]>
}

export interface ResolvedVersion {
  readonly version: DidState
  /** The newest version that counts: what it says of deactivation and updates holds for the whole DID. */
  readonly latest: DidState
}

/**
 * Verifies the log and picks a version. Only versions that are sufficiently witnessed count, with all before them. An entry
 * that its witnesses have not approved must not be published, so to find one ends the resolution like an invalid one does;
 * an older version that is named is given nevertheless (did:webvh v1.0, "Read"). Throws Problem invalid-did-log and the
 * like, did-not-witnessed, and did-not-found when there was no such version.
 */
export async function resolveVersion(
  did: string,
  entries: readonly DidLogEntry[],
  options: ResolveVersionOptions,
): Promise<ResolvedVersion> {
  const { states, fault: invalid } = await verifyDidLogStates(entries, options)
  if (states.length === 0) throw invalid ?? refuseEntry('The log is empty', '')
  const counted = await countedStates(states, options)
  const fault = counted.length < states.length ? notWitnessed() : invalid
  const latest = counted.at(-1)
  if (latest === undefined) throw notWitnessed()
  if (!counted.some((state) => state.did === did))
    throw fault ?? new Problem('invalid-did-log', { detail: 'The log is that of another DID' })
  const version = pickVersion(counted, options)
  // What is the newest version, now or at a time, an invalid successor leaves open; a named version it does not.
  const byName = options.versionId !== undefined || options.versionNumber !== undefined
  if (fault !== null && (version === undefined || (!byName && version === latest))) throw fault
  if (version !== undefined) return { version, latest }
  if (byName && pickVersion(states, options) !== undefined) throw notWitnessed()
  throw new Problem('did-not-found', { detail: 'The DID has no such version' })
}

async function countedStates(
  states: readonly DidState[],
  { witnessProofs }: ResolveVersionOptions,
): Promise<readonly DidState[]> {
  if (states.every(({ requiredWitness }) => requiredWitness === null)) return states
  return states.slice(0, witnessedPrefix(states, await witnessProofs()))
}

/** The version asked for among those that count, in order. Throws Problem invalid-request. */
export function pickVersion(states: readonly DidState[], query: VersionQuery): DidState | undefined {
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

function notWitnessed(): Problem {
  return new Problem('did-not-witnessed')
}
