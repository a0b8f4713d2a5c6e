import type { DidLogEntry } from '@tillit/schemas'
import type { DIDDocument } from 'did-resolver'
import { checkDocument } from './did-document.ts'
import { type DidParameters, multikeysCommitted, readParameters, type WitnessConfig } from './did-parameters.ts'
import { type EntryText, entryHash, entryText, hasPlaceholder, scidOf } from './entry-hash.ts'
import { readEntryProofs } from './entry-proof.ts'
import { checkEntryShape } from './entry-shape.ts'
import { parseDid } from './parse-did.ts'
import { refuseEntry } from './refuse-entry.ts'
import { type SignatureCheck, verifySignatures } from './signature-check.ts'
import { parseUtc } from './version-time.ts'

const defaultTtlSeconds = 3600

/** What a DID is after an entry: plain JSON values, so it can be stored and read back. */
export interface DidState {
  readonly did: string
  readonly scid: string
  readonly versionId: string
  readonly versionNumber: number
  /** ISO 8601 in UTC, as the controller wrote it. */
  readonly versionTime: string
  /** The versionTime of the first entry. */
  readonly created: string
  /** The document of this version, also when the DID is deactivated. */
  readonly document: DIDDocument
  /** Multikeys that may sign the next entry, unless keys are pre-rotated. */
  readonly updateKeys: readonly string[]
  /** Not empty: pre-rotation is active, and the next entry is signed by a key whose hash is here. */
  readonly nextKeyHashes: readonly string[]
  readonly deactivated: boolean
  readonly portable: boolean
  /** Who is to witness the entries after this one; null when nobody is. */
  readonly witness: WitnessConfig | null
  /** Who is to witness this entry itself. Their proofs are no part of the log: see witnessedPrefix. */
  readonly requiredWitness: WitnessConfig | null
  readonly watchers: readonly string[]
  readonly ttlSeconds: number
}

/**
 * The state after one more entry of a did:webvh v1.0 log (`state` null: after the first). Everything that the log itself
 * can show is verified: shape, parameters, SCID, hash chain, version and time, proof, pre-rotation, portability, and that
 * no key is weak. `now` bounds the versionTime. Throws Problem invalid-did-log naming the rule and the place, weak-key or
 * invalid-key for a key, invalid-did for an id.
 */
export function nextDidState(step: DidStep): DidState {
  const { state, signatures } = followEntry(step)
  verifySignatures(signatures)
  return state
}

export interface DidStep {
  readonly state: DidState | null
  readonly entry: DidLogEntry
  readonly now: Date
}

/**
 * As {@link nextDidState}, but for the signatures, which are handed back: the state is one only once they are verified.
 * `text` gives the canonical form (RFC 8785) of the whole entry. Throws the same Problems.
 */
export function followEntry(step: DidStep): { state: DidState; signatures: SignatureCheck[]; text: () => string } {
  const { state: previous, now } = step
  const entry = checkEntryShape(step.entry)
  if (previous?.deactivated) throw refuseEntry('The DID is deactivated', '')
  const parameters = readParameters(entry.parameters)
  const text = entryText(entry)
  const scid = previous?.scid ?? genesisScid(text, parameters)
  checkVersion(entry, { previous, text, scid })
  checkTime(entry, previous, now)
  const updateKeys = previous === null ? genesisUpdateKeys(parameters) : parameters.updateKeys
  if (previous !== null) checkLaterParameters(parameters, previous)
  const signatures = readEntryProofs(entry, text, authorizedKeys(updateKeys, previous))
  const document = checkState(entry, previous, parameters, scid)
  const witness = parameters.witness === undefined ? (previous?.witness ?? null) : parameters.witness
  const state: DidState = {
    did: document.id,
    scid,
    versionId: entry.versionId,
    versionNumber: (previous?.versionNumber ?? 0) + 1,
    versionTime: entry.versionTime,
    created: previous?.created ?? entry.versionTime,
    document,
    updateKeys: updateKeys ?? previous?.updateKeys ?? [],
    nextKeyHashes: parameters.nextKeyHashes ?? previous?.nextKeyHashes ?? [],
    deactivated: parameters.deactivated ?? false,
    portable: parameters.portable ?? previous?.portable ?? false,
    witness,
    // A new list counts from the next entry on; only the first list of all counts at once.
    requiredWitness: previous?.witness ?? witness,
    watchers: parameters.watchers ?? previous?.watchers ?? [],
    ttlSeconds: parameters.ttlSeconds ?? previous?.ttlSeconds ?? defaultTtlSeconds,
  }
  return { state, signatures, text: () => text.whole(entry) }
}

function genesisScid(text: EntryText, { method, scid }: DidParameters): string {
  if (method === undefined) throw refuseEntry('The first entry does not name the method', '/parameters/method')
  if (scid === undefined) throw refuseEntry('The first entry does not name the SCID', '/parameters/scid')
  // Two entries that differ only in a placeholder would have the same SCID.
  if (hasPlaceholder(text)) throw refuseEntry('A placeholder for the SCID was left in the entry', '')
  if (scidOf(text, scid) !== scid) throw refuseEntry('The SCID is not the hash of the first entry', '/parameters/scid')
  return scid
}

function checkVersion(
  entry: DidLogEntry,
  { previous, text, scid }: { previous: DidState | null; text: EntryText; scid: string },
): void {
  const number = (previous?.versionNumber ?? 0) + 1
  if (!entry.versionId.startsWith(`${number}-`))
    throw refuseEntry(`The version number does not follow: ${number} is expected`, '/versionId')
  if (entry.versionId !== `${number}-${entryHash(text, previous?.versionId ?? scid)}`)
    throw refuseEntry('The entry hash is not that of the entry and the one before it', '/versionId')
}

function checkTime(entry: DidLogEntry, previous: DidState | null, now: Date): void {
  const time = parseUtc(entry.versionTime)
  if (time === null) throw refuseEntry('The version time is not an ISO 8601 time in UTC', '/versionTime')
  if (time > now.getTime()) throw refuseEntry('The version time is in the future', '/versionTime')
  if (previous !== null && time <= (parseUtc(previous.versionTime) ?? Number.POSITIVE_INFINITY))
    throw refuseEntry('The version time is not after that of the entry before', '/versionTime')
}

function genesisUpdateKeys({ updateKeys }: DidParameters): readonly string[] {
  if (updateKeys === undefined || updateKeys.length === 0)
    throw refuseEntry('The first entry names no update key', '/parameters/updateKeys')
  return updateKeys
}

function checkLaterParameters(parameters: DidParameters, previous: DidState): void {
  if (parameters.scid !== undefined) throw refuseEntry('Only the first entry names the SCID', '/parameters/scid')
  if (parameters.portable === true && !previous.portable)
    throw refuseEntry('A DID can be made portable in its first entry only', '/parameters/portable')
  if (previous.nextKeyHashes.length === 0) return
  // Pre-rotation: both lists stand in each entry, and each key was committed to in the entry before.
  if (parameters.nextKeyHashes === undefined)
    throw refuseEntry('Keys are pre-rotated, so the next key hashes must be given', '/parameters/nextKeyHashes')
  if (parameters.updateKeys === undefined)
    throw refuseEntry('Keys are pre-rotated, so the update keys must be given', '/parameters/updateKeys')
  if (!multikeysCommitted(parameters.updateKeys, previous.nextKeyHashes))
    throw refuseEntry('An update key was not committed to in the entry before', '/parameters/updateKeys')
}

/** did:webvh v1.0, "Authorized Keys": the entry's own keys at first and under pre-rotation, otherwise those before it. */
function authorizedKeys(own: readonly string[] | undefined, previous: DidState | null): readonly string[] {
  if (previous === null || previous.nextKeyHashes.length > 0) return own ?? []
  return previous.updateKeys
}

function checkState(
  entry: DidLogEntry,
  previous: DidState | null,
  parameters: DidParameters,
  scid: string,
): DIDDocument {
  const document = checkDocument(entry.state, '/state')
  if (document.id === previous?.did) return document
  const parsed = parseDid(document.id)
  if (parsed.method !== 'webvh' || parsed.scid !== scid)
    throw refuseEntry('The id of the document is not the DID of this log', '/state/id')
  if (previous !== null) {
    if (!(parameters.portable ?? previous.portable))
      throw refuseEntry('The DID is not portable, so its id may not change', '/state/id')
    if (!Array.isArray(document.alsoKnownAs) || !document.alsoKnownAs.includes(previous.did))
      throw refuseEntry('A moved DID must name the one before in alsoKnownAs', '/state/alsoKnownAs')
  }
  return document
}
