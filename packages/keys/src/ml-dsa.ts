import { Problem } from '@tillit/problem'
import { mlDsa44FromSeed, verifyMlDsa44Raw } from '#backend'

/** FIPS 204, table 2: sizes of ML-DSA-44. */
const publicKeyBytes = 1312
const signatureBytes = 2420
/** The seed ξ of FIPS 204 algorithm 6. */
const seedBytes = 32

/** A key of FIPS 204 that cosigns checkpoints beside Ed25519. It binds no person and no device, so it is no PublicKey. */
export interface MlDsa44PublicKey {
  readonly alg: 'ML-DSA-44'
  readonly bytes: Uint8Array
}

export interface MlDsa44Signer {
  readonly alg: 'ML-DSA-44'
  readonly publicKey: MlDsa44PublicKey
  /** 2420 bytes: the signature of FIPS 204 algorithm 2 with an empty context, hedged. */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** From the 1312 bytes of FIPS 204 algorithm 22; any of that length are a key. Throws Problem invalid-key. */
export function mlDsa44PublicKey(bytes: Uint8Array): MlDsa44PublicKey {
  if (bytes.length !== publicKeyBytes)
    throw new Problem('invalid-key', { detail: `An ML-DSA-44 public key is ${publicKeyBytes} bytes long` })
  return { alg: 'ML-DSA-44', bytes: Uint8Array.from(bytes) }
}

/** Whether the 2420-byte signature is the key's over the message (FIPS 204 algorithm 3, empty context). Never throws. */
export function verifyMlDsa44(key: MlDsa44PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== signatureBytes) return false
  return verifyMlDsa44Raw(key, message, signature)
}

/** From the 32 secret bytes ξ of FIPS 204 section 3.6.3. Throws Problem invalid-key on another length. */
export async function mlDsa44SignerFromSeed(seed: Uint8Array): Promise<MlDsa44Signer> {
  if (seed.length !== seedBytes)
    throw new Problem('invalid-key', { detail: `An ML-DSA-44 seed is ${seedBytes} bytes long` })
  const { publicKey, sign } = mlDsa44FromSeed(seed)
  return { alg: 'ML-DSA-44', publicKey: mlDsa44PublicKey(publicKey), sign: async (message) => sign(message) }
}
