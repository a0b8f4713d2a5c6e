import { createPrivateKey, createPublicKey, ECDH, type KeyObject, sign, verify } from 'node:crypto'
import { fromHex } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import * as mlDsaOfNode from './ml-dsa-node.ts'
import type { PublicKey } from './public-key.ts'
import type { PrivateJwk } from './signer.ts'
import { verifyingBeside } from './verify-threads-node.ts'

/** Importing a key costs a tenth of verifying with it, so each PublicKey is imported once. */
const imported = new WeakMap<PublicKey, KeyObject>()

// What stands before the 32 bytes (RFC 8410 section 4), and before the 65 of an uncompressed point (RFC 5480 section 2).
const ed25519SpkiPrefix = fromHex('302a300506032b6570032100')
const p256SpkiPrefix = fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200')

/** Decided once: where Node has no ML-DSA, what serves browsers gives the same verdicts, more slowly. */
export const { mlDsa44FromSeed, verifyMlDsa44Raw } = mlDsaOfNode.hasMlDsa44()
  ? mlDsaOfNode
  : await import('./ml-dsa-noble.ts')

export function verifyRaw(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.alg === 'EdDSA') return verify(null, message, importKey(key), signature)
  return verify('sha256', message, { key: importKey(key), dsaEncoding: 'ieee-p1363' }, signature)
}

export function verifyRawAsync(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return key.alg === 'EdDSA' ? verifyEd25519Async(key, message, signature) : verifyOnPool(key, message, signature)
}

const verifyEd25519Async = verifyingBeside(verifyOnPool)

/** On a thread of libuv's pool (four unless UV_THREADPOOL_SIZE says otherwise). */
function verifyOnPool(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const answer = (error: Error | null, verified: boolean) => (error ? reject(error) : resolve(verified))
    if (key.alg === 'EdDSA') verify(null, message, importKey(key), signature, answer)
    else verify('sha256', message, { key: importKey(key), dsaEncoding: 'ieee-p1363' }, signature, answer)
  })
}

/**
 * Gives what signs with the key. Throws when the halves do not belong together. Signs where it is called: a thread of the
 * pool, which WebCrypto goes to, takes as long to reach as Ed25519 takes to sign.
 */
export async function importPrivateKey(
  jwk: PrivateJwk,
  { alg }: PublicKey,
): Promise<(message: Uint8Array) => Promise<Uint8Array>> {
  const key = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  const { x, y } = createPublicKey(key).export({ format: 'jwk' })
  if (x !== jwk.x || (alg === 'ES256' && y !== jwk.y)) throw new Error('the halves differ')
  if (alg === 'EdDSA') return async (message) => new Uint8Array(sign(null, message, key))
  const options = { key, dsaEncoding: 'ieee-p1363' } as const
  return async (message) => new Uint8Array(sign('sha256', message, options))
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
  const object =
    key.alg === 'EdDSA'
      ? importSpki(ed25519SpkiPrefix, key.bytes)
      : importSpki(p256SpkiPrefix, decompressP256(key.bytes))
  imported.set(key, object)
  return object
}

/** As PEM, which takes half the time of the same key as JWK or DER: of a text Node does not ask whether it is a key object. */
function importSpki(prefix: Uint8Array, bytes: Uint8Array): KeyObject {
  const spki = Buffer.concat([prefix, bytes]).toString('base64')
  return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----`)
}
