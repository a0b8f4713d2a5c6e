import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, equalBytes } from '@tillit/codec'
import { Problem } from '@tillit/problem'

/**
 * Makes of a token's r ‖ s what a ledger reads: s in the lower half of the order (EIP-2), and the recovery id 0 or 1 with
 * which the digest gives back the key. Throws Problem key-store-unavailable when neither does.
 */
export function recoverableSignature(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const { r, s } = secp256k1.Signature.fromBytes(signature, 'compact')
  const { n } = secp256k1.Point.CURVE()
  const low = new secp256k1.Signature(r, s > n / 2n ? n - s : s)
  for (const recovery of [0, 1]) {
    const point = low.addRecoveryBit(recovery).recoverPublicKey(digest)
    if (equalBytes(point.toBytes(false), publicKey)) return concat(low.toBytes('compact'), Uint8Array.of(recovery))
  }
  throw new Problem('key-store-unavailable', { detail: 'The token signed with another key than it was asked to' })
}
