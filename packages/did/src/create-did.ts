import { type PublicKey, type Signer, toMultikey } from '@tillit/keys'
import type { DidLogEntry } from '@tillit/schemas'
import { encodeHost, encodeSegment } from './did-host.ts'
import { type WitnessConfig, webvhMethod } from './did-parameters.ts'
import { type DidContent, documentFor } from './document-for.ts'
import { entryHash, entryText, nextKeyHash, scidOf, scidPlaceholder } from './entry-hash.ts'
import { proveEntry } from './entry-proof.ts'
import { type DidState, nextDidState } from './next-state.ts'

export interface CreateDidOptions extends DidContent {
  /** `example.com`, or with a port `localhost:8080`. */
  readonly host: string
  /** Folders under the host as plain text; a segment `{SCID}` becomes the DID's own SCID. */
  readonly path: readonly string[]
  /** Ed25519; its public key becomes the first update key, and the document's key unless `keys` or `document` is given. */
  readonly signer: Signer
  /** Commits to the keys that sign the next entry (pre-rotation). */
  readonly nextKeys?: readonly PublicKey[]
  readonly portable?: boolean
  readonly ttlSeconds?: number
  readonly witness?: WitnessConfig
  /** URLs of those who have agreed to keep copies of the log. */
  readonly watchers?: readonly string[]
  readonly now: Date
}

/**
 * The first entry of a new did:webvh, signed: what its controller registers. Needs no network. Throws Problem invalid-did
 * for a host or path that no DID can have, unsupported-algorithm for a signer that is not Ed25519, weak-key or invalid-key.
 */
export async function createDid(
  options: CreateDidOptions,
): Promise<{ did: string; entry: DidLogEntry; state: DidState }> {
  const { signer, now } = options
  const segments = options.path.map((segment) => (segment === scidPlaceholder ? segment : encodeSegment(segment)))
  const draftDid = ['did', 'webvh', scidPlaceholder, encodeHost(options.host), ...segments].join(':')
  const draft = {
    versionId: scidPlaceholder,
    versionTime: now.toISOString(),
    parameters: {
      method: webvhMethod,
      scid: scidPlaceholder,
      updateKeys: [toMultikey(signer.publicKey)],
      nextKeyHashes: (options.nextKeys ?? []).map(nextKeyHash),
      ...(options.portable === undefined ? {} : { portable: options.portable }),
      ...(options.ttlSeconds === undefined ? {} : { ttl: options.ttlSeconds }),
      ...(options.witness === undefined ? {} : { witness: options.witness }),
      ...(options.watchers === undefined ? {} : { watchers: options.watchers }),
    },
    state: documentFor(draftDid, options, { keys: [signer.publicKey] }),
  }
  // The text with placeholders is what the SCID is the hash of, so nothing is replaced while hashing.
  const scid = scidOf(entryText(draft), scidPlaceholder)
  const unsigned = JSON.parse(JSON.stringify(draft).replaceAll(scidPlaceholder, scid)) as typeof draft
  const entry = await proveEntry({ ...unsigned, versionId: `1-${entryHash(entryText(unsigned), scid)}` }, signer)
  const state = nextDidState({ state: null, entry, now })
  return { did: state.did, entry, state }
}
