import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { concat, fromHex } from '@tillit/codec'
import type { MlDsa44PublicKey } from './ml-dsa.ts'

/** Importing a key takes a good part of verifying with it, so each is imported once. */
const imported = new WeakMap<MlDsa44PublicKey, KeyObject>()

// RFC 9881 sections 4 and 6: what stands before the 1312 bytes of the public key, and before the 32 of the seed.
const spkiPrefix = fromHex('30820532300b06096086480165030403110382052100')
const pkcs8Prefix = fromHex('3034020100300b060960864801650304031104228020')
const seedBytes = 32

/** Whether this Node has ML-DSA: from 24.6 on, where it is built with OpenSSL 3.5 or newer. */
export function hasMlDsa44(): boolean {
  try {
    importSeed(new Uint8Array(seedBytes))
    return true
  } catch {
    return false
  }
}

export function verifyMlDsa44Raw(key: MlDsa44PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, message, importKey(key), signature)
}

export function mlDsa44FromSeed(seed: Uint8Array): { publicKey: Uint8Array; sign(message: Uint8Array): Uint8Array } {
  const privateKey = importSeed(seed)
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    publicKey: new Uint8Array(spki.subarray(spkiPrefix.length)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  }
}

function importSeed(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(concat(pkcs8Prefix, seed)), format: 'der', type: 'pkcs8' })
}

function importKey(key: MlDsa44PublicKey): KeyObject {
  const known = imported.get(key)
  if (known) return known
  const object = createPublicKey({ key: Buffer.from(concat(spkiPrefix, key.bytes)), format: 'der', type: 'spki' })
  imported.set(key, object)
  return object
}
