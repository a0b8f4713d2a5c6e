import { p256 } from '@noble/curves/nist.js'
import { hashes, verify } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { Problem } from '@tillit/problem'
import type { PublicKey } from './public-key.ts'

hashes.sha512 = sha512

export function verifyRaw(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.alg === 'EdDSA') return verify(signature, message, key.bytes, { zip215: false })
  return p256.verify(signature, message, key.bytes, { lowS: false })
}

/** Gives the compressed point. Throws Problem invalid-key when it is not on the curve. */
export function checkP256Point(point: Uint8Array): Uint8Array {
  try {
    return p256.Point.fromBytes(point).toBytes(true)
  } catch (cause) {
    throw new Problem('invalid-key', { detail: 'The P-256 key is not a point on the curve', cause })
  }
}

/** The uncompressed point, 65 bytes. */
export function decompressP256(compressed: Uint8Array): Uint8Array {
  return p256.Point.fromBytes(compressed).toBytes(false)
}
