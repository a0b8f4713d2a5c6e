import { sha256 } from '@tillit/codec'
import { hashBytes } from './commit.ts'

// RFC 9162 section 2.1.1: different prefixes, so that a leaf can never be passed off as a node.
const leafPrefix = Uint8Array.of(0)
const nodePrefix = 1

/** What a node's hash is over, filled anew for each: hashing copies it before it returns. */
const nodeInput = new Uint8Array(1 + 2 * hashBytes)

/** SHA-256(0x00 ‖ data) (RFC 9162 section 2.1.1). */
export function leafHash(data: Uint8Array): Uint8Array {
  return sha256(leafPrefix, data)
}

/** SHA-256(0x01 ‖ left ‖ right) (RFC 9162 section 2.1.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== hashBytes || right.length !== hashBytes) throw new RangeError('a hash is 32 bytes long')
  nodeInput[0] = nodePrefix
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + hashBytes)
  return sha256(nodeInput)
}

/** The root of a tree with no leaves: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return sha256()
}

/** The root of a tree that is held whole, from its leaf hashes. For small trees and as the oracle of the tiled form. */
export function rootOfLeaves(leafHashes: readonly Uint8Array[]): Uint8Array {
  const [only] = leafHashes
  if (only === undefined) return emptyRoot()
  if (leafHashes.length === 1) return only
  const split = largestPowerOfTwoBelow(leafHashes.length)
  return nodeHash(rootOfLeaves(leafHashes.slice(0, split)), rootOfLeaves(leafHashes.slice(split)))
}

/** The largest power of two smaller than n, for n > 1 up to 2^53: where RFC 9162 splits a tree of n leaves. */
export function largestPowerOfTwoBelow(n: number): number {
  const last = n - 1
  const high = Math.floor(last / 2 ** 32)
  return high === 0 ? 2 ** (31 - Math.clz32(last)) : 2 ** (63 - Math.clz32(high))
}
