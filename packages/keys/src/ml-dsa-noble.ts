import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import type { MlDsa44PublicKey } from './ml-dsa.ts'

export function verifyMlDsa44Raw(key: MlDsa44PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return ml_dsa44.verify(signature, message, key.bytes)
}

export function mlDsa44FromSeed(seed: Uint8Array): { publicKey: Uint8Array; sign(message: Uint8Array): Uint8Array } {
  const { publicKey, secretKey } = ml_dsa44.keygen(seed)
  return { publicKey, sign: (message) => ml_dsa44.sign(message, secretKey) }
}
