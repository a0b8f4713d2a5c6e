import { equalBytes, toBase64url, toHex } from '@tillit/codec'
import { type DidState, maxDidLogCharacters, nextDidState } from '@tillit/did'
import { commit, saltBytes } from '@tillit/log'
import { Problem } from '@tillit/problem'
import type { DidAccepted, DidLogEntry } from '@tillit/schemas'
import type { DidWriter, StoredDid, StoredEntry } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'

/** Half of what a resolver reads, so that there is always room for the entry that deactivates. */
const maxLogCharacters = maxDidLogCharacters / 2

/** How long the sender of an entry may fetch its opening again: for retries, not for others who know the entry. */
const retrySeconds = 600

export interface Accepted {
  readonly accepted: DidAccepted
  /** False when the very same entry had been accepted before. */
  readonly created: boolean
}

/** The state after the entry. Throws the Problems of nextDidState, and body-too-large when the log has no room left. */
export function verifyEntry(previous: StoredDid | null, entry: DidLogEntry, now: Date): DidState {
  const state = nextDidState({ state: previous?.state ?? null, entry, now })
  const characters = (previous?.logCharacters ?? 0) + JSON.stringify(entry).length + 1
  if (characters > maxLogCharacters && !state.deactivated) {
    throw new Problem('body-too-large', { detail: 'The log of the DID is full: it can only be deactivated' })
  }
  return state
}

/** Stores an entry that follows, with a fresh salt. The caller's transaction makes it and its outbox row one. */
export async function storeEntry(
  writer: DidWriter,
  step: { state: DidState; entry: DidLogEntry; listed: boolean },
  ports: Pick<RegistryPorts, 'now' | 'randomBytes'>,
): Promise<Accepted> {
  const { state, entry, listed } = step
  const salt = ports.randomBytes(saltBytes)
  const stored: StoredEntry = {
    did: state.did,
    versionNumber: state.versionNumber,
    versionId: state.versionId,
    line: JSON.stringify(entry),
    salt,
    commitment: commit(salt, entry),
    acceptedAt: ports.now(),
  }
  await writer.insertEntry(stored)
  return { created: true, accepted: toAccepted(stored, salt, { listed, deactivated: state.deactivated }) }
}

/** The answer to an entry that was accepted before, or null when the stored one is another. Throws Problem did-conflict. */
export function acceptedBefore(
  stored: StoredEntry,
  entry: DidLogEntry,
  did: { listed: boolean; deactivated: boolean; now: Date },
): Accepted | null {
  const { salt } = stored
  if (salt === null || !equalBytes(commit(salt, entry), stored.commitment)) return null
  const age = did.now.getTime() - stored.acceptedAt.getTime()
  // Whoever was given an unlisted DID knows its entries; the salt was for its controller only.
  if (!did.listed && age > retrySeconds * 1000) {
    throw new Problem('did-conflict', { detail: 'The entry was accepted before, and its opening was handed out then' })
  }
  return { created: false, accepted: toAccepted(stored, salt, did) }
}

function toAccepted(
  stored: StoredEntry,
  salt: Uint8Array,
  { listed, deactivated }: { listed: boolean; deactivated: boolean },
): DidAccepted {
  return {
    did: stored.did,
    versionId: stored.versionId,
    listed,
    deactivated,
    opening: { kind: 'did', salt: toBase64url(salt), commitment: toHex(stored.commitment) },
  }
}
