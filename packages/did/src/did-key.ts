import { type PublicKey, parseMultikey, toMultikey } from '@tillit/keys'
import type { DIDDocument } from 'did-resolver'
import { standardDocument } from './did-document.ts'

/** The did:key of an Ed25519 (`z6Mk…`) or P-256 (`zDn…`) key. */
export function didKeyFor(key: PublicKey): string {
  return `did:key:${toMultikey(key)}`
}

/** The document of a did:key, given the part after `did:key:`. Throws Problem invalid-key, weak-key or unsupported-algorithm. */
export function didKeyDocument(multikey: string): DIDDocument {
  const key = parseMultikey(multikey)
  return standardDocument(didKeyFor(key), { keys: [key] })
}
