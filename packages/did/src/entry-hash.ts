import { canonicalJson, concat, sha256OfText, toBase58 } from '@tillit/codec'
import { type PublicKey, toMultikey } from '@tillit/keys'
import type { DidLogEntry } from '@tillit/schemas'

export const scidPlaceholder = '{SCID}'

export type UnsignedEntry = Omit<DidLogEntry, 'proof'>

/** Canonical texts of an entry, of which hashes, proof and commitment share the large parts. */
export interface EntryText {
  /** Without its proof, under any version id: the hashes and the proof differ only in that. */
  (versionId: string): string
  /** The whole entry. */
  readonly whole: (signed: Pick<DidLogEntry, 'versionId' | 'proof'>) => string
}

/** Multihash prefix of SHA-256: code 0x12, 32 bytes long. The only hash of did:webvh v1.0. */
const sha256Prefix = Uint8Array.of(0x12, 0x20)

export function entryText({ parameters, state, versionTime }: Omit<UnsignedEntry, 'versionId'>): EntryText {
  // Canonical order (RFC 8785 section 3.2.3) puts the two large members first.
  const head = `{"parameters":${canonicalJson(parameters)}`
  const middle = `,"state":${canonicalJson(state)},"versionId":`
  const tail = `,"versionTime":${canonicalJson(versionTime)}}`
  return Object.assign((versionId: string) => `${head}${middle}${canonicalJson(versionId)}${tail}`, {
    whole: ({ versionId, proof }: Pick<DidLogEntry, 'versionId' | 'proof'>) =>
      `${head},"proof":${canonicalJson(proof)}${middle}${canonicalJson(versionId)}${tail}`,
  })
}

/** The entry hash: over the entry without its proof and with the version before it (the SCID for the first). */
export function entryHash(text: EntryText, previousVersionId: string): string {
  return multihash(text(previousVersionId))
}

/** Whether a placeholder for the SCID stands anywhere in the entry. */
export function hasPlaceholder(text: EntryText): boolean {
  return text('').includes(scidPlaceholder)
}

/** The SCID that the first entry must have: the hash of itself with placeholders wherever the SCID stands. */
export function scidOf(text: EntryText, scid: string): string {
  return multihash(text(scidPlaceholder).replaceAll(scid, scidPlaceholder))
}

/** What `nextKeyHashes` holds to commit to a key: the hash of its multikey text. */
export function nextKeyHash(key: PublicKey): string {
  return multikeyHash(toMultikey(key))
}

export function multikeyHash(multikey: string): string {
  return multihash(multikey)
}

function multihash(text: string): string {
  return toBase58(concat(sha256Prefix, sha256OfText(text)))
}
