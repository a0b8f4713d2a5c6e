import { createPrivateKey, createPublicKey, ECDH, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto'
import { concat, fromHex, toBase64url } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { MlDsa44PublicKey } from './ml-dsa.ts'
import type { PublicKey } from './public-key.ts'

/** Importing a key costs a third of verifying with it, so each PublicKey is imported once. */
const imported = new WeakMap<PublicKey | MlDsa44PublicKey, KeyObject>()

// RFC 9881 sections 4 and 6: what stands before the 1312 bytes of the public key, and before the 32 of the seed.
const mlDsa44SpkiPrefix = fromHex('30820532300b06096086480165030403110382052100')
const mlDsa44Pkcs8Prefix = fromHex('3034020100300b060960864801650304031104228020')

export function verifyRaw(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.alg === 'EdDSA') return verify(null, message, importKey(key), signature)
  return verify('sha256', message, { key: importKey(key), dsaEncoding: 'ieee-p1363' }, signature)
}

/** On a thread of libuv's pool (four unless UV_THREADPOOL_SIZE says otherwise). */
export function verifyRawAsync(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const answer = (error: Error | null, verified: boolean) => (error ? reject(error) : resolve(verified))
    if (key.alg === 'EdDSA') verify(null, message, importKey(key), signature, answer)
    else verify('sha256', message, { key: importKey(key), dsaEncoding: 'ieee-p1363' }, signature, answer)
  })
}

export function verifyMlDsa44Raw(key: MlDsa44PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, message, importKey(key), signature)
}

export function mlDsa44FromSeed(seed: Uint8Array): { publicKey: Uint8Array; sign(message: Uint8Array): Uint8Array } {
  const der = concat(mlDsa44Pkcs8Prefix, seed)
  const privateKey = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    publicKey: new Uint8Array(spki.subarray(mlDsa44SpkiPrefix.length)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  }
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

function importKey(key: PublicKey | MlDsa44PublicKey): KeyObject {
  const known = imported.get(key)
  if (known) return known
  const object = importOnce(key)
  imported.set(key, object)
  return object
}

function importOnce(key: PublicKey | MlDsa44PublicKey): KeyObject {
  switch (key.alg) {
    case 'EdDSA':
      return importJwk({ kty: 'OKP', crv: 'Ed25519', x: toBase64url(key.bytes) })
    case 'ML-DSA-44':
      return importMlDsa44(key.bytes)
    case 'ES256':
      return importP256(key.bytes)
  }
}

function importP256(compressed: Uint8Array): KeyObject {
  const point = decompressP256(compressed)
  const [x, y] = [toBase64url(point.slice(1, 33)), toBase64url(point.slice(33, 65))]
  return importJwk({ kty: 'EC', crv: 'P-256', x, y })
}

/** Takes less time than the same key as DER. */
function importJwk(jwk: JsonWebKey): KeyObject {
  return createPublicKey({ key: jwk, format: 'jwk' })
}

function importMlDsa44(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concat(mlDsa44SpkiPrefix, bytes)), format: 'der', type: 'spki' })
}
