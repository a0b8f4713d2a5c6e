import { equalBytes, toBase64url, toHex } from '@tillit/codec'
import { type DidState, didKeyFor, maxDidLogCharacters, verifyDidEntry } from '@tillit/did'
import type { PublicKey } from '@tillit/keys'
import { commit, commitText, saltBytes } from '@tillit/log'
import { Problem } from '@tillit/problem'
import type { DidAccepted, DidLogEntry } from '@tillit/schemas'
import type { StoredDid, StoredEntry } from './did-store.ts'
import type { NewEntry } from './did-writer.ts'
import type { RegistryPorts } from './ports.ts'

/** Half of what a resolver reads, so that there is always room for the entry that deactivates. */
const maxLogBytes = maxDidLogCharacters / 2

/** Largest entry: a document with dozens of keys and services. */
export const maxEntryBytes = 64 * 1024

/** Deepest nesting of an entry: lists and receipts carry it some levels down, and whoever reads them takes 64 in all. */
const maxEntryDepth = 48

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
 * Throws the Problems of nextDidState, invalid-did-log for an entry that is nested too deeply, and body-too-large for a
 * large one or when the log has no room left.
 */
export async function prepareEntry(
  previous: StoredDid | null,
  entry: DidLogEntry,
  { listed, ...ports }: { listed: boolean } & AcceptingPorts,
): Promise<NewEntry> {
  const line = lineOf(entry)
  const step = { state: previous?.state ?? null, entry, now: ports.now() }
  const { state, canonicalText } = await verifyDidEntry(step)
  const did = previous?.did ?? state.did
  return newEntry({ canonicalText, line, state }, { did, logBytesBefore: previous?.logBytes ?? 0, listed, ...ports })
}

export interface EntryLine {
  /** As in did.jsonl, without its end. */
  readonly text: string
  readonly bytes: number
}

/** The entry as it is to be stored. Throws Problem body-too-large, and invalid-did-log for one that is nested too deeply. */
export function lineOf(entry: DidLogEntry): EntryLine {
  const text = JSON.stringify(entry)
  const bytes = Buffer.byteLength(text)
  if (bytes > maxEntryBytes) throw new Problem('body-too-large', { detail: 'The entry is too large' })
  if (isDeeper(entry, maxEntryDepth))
    throw new Problem('invalid-did-log', { detail: `The entry is nested more than ${maxEntryDepth} levels deep` })
  return { text, bytes }
}

interface NewEntryOptions extends AcceptingPorts {
  /** The DID under which the entry is stored. */
  readonly did: string
  readonly logBytesBefore: number
  readonly listed: boolean
}

/** Makes an entry ready to be stored that was verified: `state` is the one after it. Throws Problem body-too-large. */
export function newEntry(
  { canonicalText, line, state }: { canonicalText: string; line: EntryLine; state: DidState },
  { did, logBytesBefore, listed, ...ports }: NewEntryOptions,
): NewEntry {
  const logBytes = logBytesBefore + line.bytes + 1
  if (logBytes > maxLogBytes && !state.deactivated) {
    throw new Problem('body-too-large', { detail: 'The log of the DID is full: it can only be deactivated' })
  }
  const salt = ports.randomBytes(saltBytes)
  return {
    did,
    versionNumber: state.versionNumber,
    versionId: state.versionId,
    line: line.text,
    salt,
    commitment: commitText(salt, canonicalText),
    acceptedAt: ports.now(),
    listed,
    state,
    logBytes,
    forOwnWitness: names(state, ports.didWitnessSigner.publicKey),
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

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1))
}

function names({ requiredWitness }: DidState, witness: PublicKey): boolean {
  return requiredWitness?.witnesses.some(({ id }) => id === didKeyFor(witness)) ?? false
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
