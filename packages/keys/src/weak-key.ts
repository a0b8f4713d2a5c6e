import { fromHex } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { isOnCurve } from './edwards25519.ts'

/**
 * The y coordinates of every point of small order and their non-canonical twins, sign bit cleared: libsodium's list
 * (ge25519_has_small_order). One constant signature verifies for any message under such a key, so its owner could
 * repudiate everything.
 */
const smallOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(fromHex)

const fieldPrime = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')

/** Throws Problem invalid-key when the bytes are no point, weak-key when it is of small order or not canonical. */
export function refuseWeakEd25519(bytes: Uint8Array): void {
  if (bytes.length !== 32) throw new Problem('invalid-key', { detail: 'An Ed25519 public key is 32 bytes long' })
  if (hasSmallOrder(bytes)) throw new Problem('weak-key', { detail: 'The Ed25519 key is a point of small order' })
  if (!isCanonical(bytes)) throw new Problem('weak-key', { detail: 'The Ed25519 key is not encoded canonically' })
  if (!isOnCurve(bytes)) throw new Problem('invalid-key', { detail: 'The Ed25519 key is not a point on the curve' })
}

/** Also asked of the R half of a signature, as libsodium does. */
export function hasSmallOrder(point: Uint8Array): boolean {
  return smallOrder.some((y) => y.every((byte, i) => byte === (i === 31 ? (point[i] ?? 0) & 0x7f : point[i])))
}

function isCanonical(point: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const byte = i === 31 ? (point[31] ?? 0) & 0x7f : (point[i] ?? 0)
    const prime = fieldPrime[i] ?? 0
    if (byte !== prime) return byte < prime
  }
  return false
}
