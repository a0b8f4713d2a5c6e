import { canonicalJson, concat, sha256, toBase58, utf8 } from '@tillit/codec'
import { type PublicKey, toMultikey } from '@tillit/keys'
import type { DidLogEntry } from '@tillit/schemas'

export const scidPlaceholder = '{SCID}'

export type UnsignedEntry = Omit<DidLogEntry, 'proof'>

/** Multihash prefix of SHA-256: code 0x12, 32 bytes long. The only hash of did:webvh v1.0. */
const sha256Prefix = Uint8Array.of(0x12, 0x20)

/** The entry hash: over the entry without its proof and with the version before it (the SCID for the first). */
export function entryHash(entry: UnsignedEntry, previousVersionId: string): string {
  return multihash(canonicalJson({ ...unsigned(entry), versionId: previousVersionId }))
}

/** The SCID that the first entry must have: the hash of itself with placeholders wherever the SCID stands. */
export function scidOf(entry: UnsignedEntry, scid: string): string {
  const text = canonicalJson({ ...unsigned(entry), versionId: scidPlaceholder })
  return multihash(text.replaceAll(scid, scidPlaceholder))
}

/** What `nextKeyHashes` holds to commit to a key: the hash of its multikey text. */
export function nextKeyHash(key: PublicKey): string {
  return multikeyHash(toMultikey(key))
}

export function multikeyHash(multikey: string): string {
  return multihash(multikey)
}

function unsigned({ versionId, versionTime, parameters, state }: UnsignedEntry): UnsignedEntry {
  return { versionId, versionTime, parameters, state }
}

function multihash(text: string): string {
  return toBase58(concat(sha256Prefix, sha256(utf8(text))))
}
