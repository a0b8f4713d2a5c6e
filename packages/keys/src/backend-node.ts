import { createPublicKey, ECDH, type KeyObject, verify } from 'node:crypto'
import { concat, fromHex, toBase64url } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { PublicKey } from './public-key.ts'

/** Importing a key costs more than verifying with it, so each PublicKey is imported once. */
const imported = new WeakMap<PublicKey, KeyObject>()

const ed25519SpkiPrefix = fromHex('302a300506032b6570032100')

export function verifyRaw(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.alg === 'EdDSA') return verify(null, message, importKey(key), signature)
  return verify('sha256', message, { key: importKey(key), dsaEncoding: 'ieee-p1363' }, signature)
}

/** Gives the compressed point. Throws Problem invalid-key when it is not on the curve. */
export function checkP256Point(point: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(ECDH.convertKey(point, 'prime256v1', undefined, undefined, 'compressed') as Buffer)
  } catch (cause) {
    throw new Problem('invalid-key', { detail: 'The P-256 key is not a point on the curve', cause })
  }
}

/** The uncompressed point, 65 bytes. */
export function decompressP256(compressed: Uint8Array): Uint8Array {
  return new Uint8Array(ECDH.convertKey(compressed, 'prime256v1', undefined, undefined, 'uncompressed') as Buffer)
}

function importKey(key: PublicKey): KeyObject {
  const known = imported.get(key)
  if (known) return known
  const object = key.alg === 'EdDSA' ? importEd25519(key.bytes) : importP256(key.bytes)
  imported.set(key, object)
  return object
}

function importEd25519(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concat(ed25519SpkiPrefix, bytes)), format: 'der', type: 'spki' })
}

function importP256(compressed: Uint8Array): KeyObject {
  const point = decompressP256(compressed)
  const jwk = { kty: 'EC', crv: 'P-256', x: toBase64url(point.slice(1, 33)), y: toBase64url(point.slice(33, 65)) }
  return createPublicKey({ key: jwk, format: 'jwk' })
}
