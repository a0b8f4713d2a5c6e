import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat } from '@tillit/codec'
import { Problem } from '@tillit/problem'

/** Signs what an EVM ledger reads. It binds no person and no device, so its key is no PublicKey. */
export interface Secp256k1Signer {
  readonly alg: 'ES256K'
  /** The uncompressed SEC 1 point, 65 bytes. */
  readonly publicKey: Uint8Array
  /** 65 bytes over a 32-byte digest: r ‖ s ‖ recovery id, s in the lower half of the order, the id 0 or 1. */
  signDigest(digest: Uint8Array): Promise<Uint8Array>
}

/** From the 32 bytes of a secret scalar, big-endian. Throws Problem invalid-key when it is zero or not below the order. */
export function secp256k1SignerFromPrivateKey(secret: Uint8Array): Secp256k1Signer {
  if (!secp256k1.utils.isValidSecretKey(secret))
    throw new Problem('invalid-key', { detail: 'The secp256k1 secret is not a scalar between 1 and the order' })
  // A copy, so that a caller who wipes their bytes does not change what is signed with.
  const scalar = Uint8Array.from(secret)
  return {
    alg: 'ES256K',
    publicKey: secp256k1.getPublicKey(scalar, false),
    signDigest: async (digest) => signDigest(scalar, digest),
  }
}

function signDigest(scalar: Uint8Array, digest: Uint8Array): Uint8Array {
  if (digest.length !== 32) throw new RangeError('a digest is 32 bytes long')
  // RFC 6979, and low s as EIP-2 wants it. The library writes the recovery id first.
  const signature = secp256k1.sign(digest, scalar, { prehash: false, lowS: true, format: 'recovered' })
  const recovery = signature[0] ?? 0
  // 2 and 3 say that r wrapped around the order: one case in 2^127, which an EVM cannot express.
  if (recovery > 1) throw new RangeError('the recovery id of the signature is not 0 or 1')
  return concat(signature.subarray(1), Uint8Array.of(recovery))
}
