import { type PublicKey, type Signer, toMultikey } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import type { DIDDocument } from 'did-resolver'
import { encodePlace } from './did-host.ts'
import type { WitnessConfig } from './did-parameters.ts'
import { type DidContent, documentFor } from './document-for.ts'
import { entryHash, entryText, nextKeyHash } from './entry-hash.ts'
import { proveEntry } from './entry-proof.ts'
import { type DidState, nextDidState } from './next-state.ts'

interface Signing {
  /** An update key of the state; where keys are pre-rotated, a key that the state commits to. */
  readonly signer: Signer
  readonly now: Date
}

/** Parameters that an entry may change; what is left out stays as it was. */
export interface ParameterChanges {
  /** Who is to witness the entries after this one; null: nobody. This one is still witnessed by those before. */
  readonly witness?: WitnessConfig | null
  readonly watchers?: readonly string[]
  readonly ttlSeconds?: number
  /** A DID that is not portable any more never is again. */
  readonly portable?: false
}

export interface UpdateDidOptions extends DidContent, ParameterChanges, Signing {
  /** Commits to the keys of the next entry. Needed where keys are pre-rotated; an empty list ends pre-rotation. */
  readonly nextKeys?: readonly PublicKey[]
}

export interface RotateDidOptions extends UpdateDidOptions {
  /** The new update keys. May be left out where keys are pre-rotated: then the signer's key, just revealed, is the one. */
  readonly updateKeys?: readonly PublicKey[]
}

/** The next entry with another document. Throws the Problems of nextDidState when the registry would. */
export function updateDid(state: DidState, options: UpdateDidOptions): Promise<DidLogEntry> {
  return appendEntry(state, options, changedParameters(state, options))
}

/** The next entry with other update keys, and another document when one is given. Throws the Problems of nextDidState. */
export function rotateDid(state: DidState, options: RotateDidOptions): Promise<DidLogEntry> {
  if (options.updateKeys === undefined && state.nextKeyHashes.length === 0)
    throw new Problem('invalid-request', { detail: 'Keys are not pre-rotated, so the new update keys must be given' })
  return appendEntry(state, options, changedParameters(state, options))
}

export interface MoveDidOptions extends Signing {
  /** `example.com`, or with a port `localhost:8080`. */
  readonly host: string
  /** Folders under the host as plain text. */
  readonly path: readonly string[]
  /** As for updateDid. */
  readonly nextKeys?: readonly PublicKey[]
}

/**
 * The entry with which a portable DID moves to another place: its SCID and history stay, its document speaks of the new DID
 * wherever it spoke of the old, which alsoKnownAs keeps. Throws Problem invalid-did for a place that no DID can have, and
 * the Problems of nextDidState (a DID that is not portable, for example).
 */
export function moveDid(state: DidState, options: MoveDidOptions): Promise<DidLogEntry> {
  const did = `did:webvh:${state.scid}:${encodePlace(options.host, options.path)}`
  const text = JSON.stringify(state.document)
    .replaceAll(`${state.did}"`, `${did}"`)
    .replaceAll(`${state.did}#`, `${did}#`)
  const moved = JSON.parse(text) as DIDDocument
  const names = [moved.alsoKnownAs ?? []].flat().filter((name) => name !== did && name !== state.did)
  const document = () => ({ ...moved, alsoKnownAs: [...names, state.did] })
  return appendEntry(state, { signer: options.signer, now: options.now, document }, keyParameters(state, options))
}

/** The last entry: the DID resolves to no document from then on. Throws the Problems of nextDidState. */
export function deactivateDid(state: DidState, options: Signing): Promise<DidLogEntry> {
  // Under pre-rotation the signer must be revealed as update key; otherwise the list is emptied, as the specification advises.
  const keys = state.nextKeyHashes.length > 0 ? keyParameters(state, { ...options, nextKeys: [] }) : { updateKeys: [] }
  return appendEntry(state, options, { ...keys, deactivated: true })
}

function keyParameters(state: DidState, { signer, nextKeys, updateKeys }: RotateDidOptions): Record<string, unknown> {
  const preRotated = state.nextKeyHashes.length > 0
  if (preRotated && nextKeys === undefined)
    throw new Problem('invalid-request', { detail: 'Keys are pre-rotated, so the next keys must be given' })
  const keys = updateKeys ?? (preRotated ? [signer.publicKey] : undefined)
  return {
    ...(keys === undefined ? {} : { updateKeys: keys.map(toMultikey) }),
    ...(nextKeys === undefined ? {} : { nextKeyHashes: nextKeys.map(nextKeyHash) }),
  }
}

function changedParameters(
  state: DidState,
  { witness, watchers, ttlSeconds, portable, ...options }: RotateDidOptions,
): Record<string, unknown> {
  return {
    ...keyParameters(state, options),
    ...(witness === undefined ? {} : { witness: witness ?? {} }),
    ...(watchers === undefined ? {} : { watchers }),
    ...(ttlSeconds === undefined ? {} : { ttl: ttlSeconds }),
    ...(portable === undefined ? {} : { portable }),
  }
}

async function appendEntry(
  state: DidState,
  { signer, now, ...content }: DidContent & Signing,
  parameters: Record<string, unknown>,
): Promise<DidLogEntry> {
  const unsigned = {
    versionId: state.versionId,
    versionTime: now.toISOString(),
    parameters,
    state: documentFor(state.did, content, state.document),
  }
  const versionId = `${state.versionNumber + 1}-${entryHash(entryText(unsigned), state.versionId)}`
  const entry = await proveEntry({ ...unsigned, versionId }, signer)
  // The same check as everybody else will make, before the entry leaves the hands of its controller.
  nextDidState({ state, entry, now })
  return entry
}
