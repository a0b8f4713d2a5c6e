import { equalBytes, toBase64url, toHex } from '@tillit/codec'
import { type DidState, didKeyFor, maxDidLogCharacters, nextDidStateAsync } from '@tillit/did'
import { commit, saltBytes } from '@tillit/log'
import { Problem } from '@tillit/problem'
import type { DidAccepted, DidLogEntry } from '@tillit/schemas'
import type { StoredDid, StoredEntry } from './did-store.ts'
import type { NewEntry } from './did-writer.ts'
import type { RegistryPorts } from './ports.ts'

/** Half of what a resolver reads, so that there is always room for the entry that deactivates. */
const maxLogCharacters = maxDidLogCharacters / 2

/** Largest entry: a document with dozens of keys and services. */
export const maxEntryCharacters = 64 * 1024

/** How long the sender of an entry may fetch its opening again: for retries, not for others who know the entry. */
const retrySeconds = 600

export interface Accepted {
  readonly accepted: DidAccepted
  /** False when the very same entry had been accepted before. */
  readonly created: boolean
}

export type AcceptingPorts = Pick<RegistryPorts, 'now' | 'randomBytes' | 'didWitnessSigner'>

/**
 * Verifies an entry that is to follow `previous` (null: a first one) and makes it ready to be stored, with a fresh salt.
 * Throws the Problems of nextDidState, and body-too-large for a large entry or when the log has no room left.
 */
export async function prepareEntry(
  previous: StoredDid | null,
  entry: DidLogEntry,
  { listed, ...ports }: { listed: boolean } & AcceptingPorts,
): Promise<NewEntry> {
  const line = JSON.stringify(entry)
  if (line.length > maxEntryCharacters) throw new Problem('body-too-large', { detail: 'The entry is too large' })
  const now = ports.now()
  const state = await nextDidStateAsync({ state: previous?.state ?? null, entry, now })
  const logCharacters = (previous?.logCharacters ?? 0) + line.length + 1
  if (logCharacters > maxLogCharacters && !state.deactivated) {
    throw new Problem('body-too-large', { detail: 'The log of the DID is full: it can only be deactivated' })
  }
  const salt = ports.randomBytes(saltBytes)
  return {
    did: previous?.did ?? state.did,
    versionNumber: state.versionNumber,
    versionId: state.versionId,
    line,
    salt,
    commitment: commit(salt, entry),
    acceptedAt: now,
    listed,
    state,
    logCharacters,
    forOwnWitness: names(state, didKeyFor(ports.didWitnessSigner.publicKey)),
  }
}

/** The answer to an entry that is stored now. */
export function acceptedNow(entry: NewEntry): Accepted {
  return { created: true, accepted: toAccepted(entry, { ...entry, deactivated: entry.state.deactivated }) }
}

/** The answer to an entry that was accepted before, or null when the stored one is another. Throws Problem did-conflict. */
export function acceptedBefore(
  stored: StoredEntry,
  entry: DidLogEntry,
  did: { listed: boolean; deactivated: boolean; now: Date },
): Accepted | null {
  if (!equalBytes(commit(stored.salt, entry), stored.commitment)) return null
  const age = did.now.getTime() - stored.acceptedAt.getTime()
  // Whoever was given an unlisted DID knows its entries; the salt was for its controller only.
  if (!did.listed && age > retrySeconds * 1000) {
    throw new Problem('did-conflict', { detail: 'The entry was accepted before, and its opening was handed out then' })
  }
  return { created: false, accepted: toAccepted(stored, did) }
}

function names({ requiredWitness }: DidState, witness: string): boolean {
  return requiredWitness?.witnesses.some(({ id }) => id === witness) ?? false
}

function toAccepted(stored: StoredEntry, did: { listed: boolean; deactivated: boolean }): DidAccepted {
  return {
    did: stored.did,
    versionId: stored.versionId,
    listed: did.listed,
    deactivated: did.deactivated,
    opening: { kind: 'did', salt: toBase64url(stored.salt), commitment: toHex(stored.commitment) },
  }
}
