import { p256 } from '@noble/curves/nist.js'
import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat, equalBytes } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { littleEndian } from './little-endian.ts'
import type { PublicKey } from './public-key.ts'
import type { PrivateJwk } from './signer.ts'

export { mlDsa44FromSeed, verifyMlDsa44Raw } from './ml-dsa-noble.ts'

export function verifyRaw(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.alg === 'EdDSA') return verifyEd25519(key.bytes, message, signature)
  return p256.verify(signature, message, key.bytes, { lowS: false })
}

export async function verifyRawAsync(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return verifyRaw(key, message, signature)
}

/**
 * RFC 8032 section 5.1.7 without the cofactor, comparing encodings, as OpenSSL and libsodium do. noble's own verify multiplies
 * by the cofactor and so accepts signatures that a server refuses.
 */
function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const order = Point.CURVE().n
  const r = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= order) return false
  const challenge = littleEndian(sha512(concat(r, key, message))) % order
  const expected = Point.BASE.multiplyUnsafe(s).subtract(Point.fromBytes(key).multiplyUnsafe(challenge))
  return equalBytes(expected.toBytes(), r)
}

/** Gives what signs with the key. Throws when the halves do not belong together. */
export async function importPrivateKey(
  jwk: PrivateJwk,
  { alg }: PublicKey,
): Promise<(message: Uint8Array) => Promise<Uint8Array>> {
  const { subtle } = globalThis.crypto
  const algorithm = alg === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const key = await subtle.importKey('jwk', { ...jwk }, algorithm, false, ['sign'])
  return async (message) => new Uint8Array(await subtle.sign(algorithm, key, message as Uint8Array<ArrayBuffer>))
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
