import { sha256 } from '@tillit/codec'

// RFC 9162 section 2.1.1: different prefixes, so that a leaf can never be passed off as a node.
const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

/** SHA-256(0x00 ‖ data) (RFC 9162 section 2.1.1). */
export function leafHash(data: Uint8Array): Uint8Array {
  return sha256(leafPrefix, data)
}

/** SHA-256(0x01 ‖ left ‖ right) (RFC 9162 section 2.1.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(nodePrefix, left, right)
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

/** The largest power of two smaller than n, for n > 1: where RFC 9162 splits a tree of n leaves. */
export function largestPowerOfTwoBelow(n: number): number {
  let power = 1
  while (power * 2 < n) power *= 2
  return power
}
