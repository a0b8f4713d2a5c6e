import { type PublicKey, verifySignature } from '@tillit/keys'
import { refuseEntry } from './refuse-entry.ts'

/** A signature that is still to be verified: the one costly step of reading a log, so callers choose how to do it. */
export interface SignatureCheck {
  readonly key: PublicKey
  readonly message: Uint8Array
  readonly signature: Uint8Array
  /** Where the proof stands in its entry. */
  readonly pointer: string
}

/** Throws Problem invalid-did-log for the first signature that does not verify. */
export function verifySignatures(checks: readonly SignatureCheck[]): void {
  for (const { key, message, signature, pointer } of checks) {
    if (!verifySignature(key, message, signature)) throw signatureFault(pointer)
  }
}

export function signatureFault(pointer: string): Error {
  return refuseEntry('The signature of the proof does not verify', pointer)
}
