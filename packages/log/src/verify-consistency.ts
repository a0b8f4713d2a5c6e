import { equalBytes } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { hashBytes } from './commit.ts'
import { emptyRoot, largestPowerOfTwoBelow, nodeHash } from './merkle.ts'

/** A tree: how many leaves, and their root. */
export interface TreeHead {
  readonly size: number
  readonly root: Uint8Array
}

/**
 * Verifies that the newer tree holds all leaves of the older one, at the same places (RFC 9162 section 2.1.4.2). Throws
 * Problem invalid-proof.
 */
export function verifyConsistency(older: TreeHead, newer: TreeHead, proof: readonly Uint8Array[]): void {
  if (!Number.isSafeInteger(older.size) || !Number.isSafeInteger(newer.size) || older.size < 0) throw invalid('a size')
  if ([older.root, newer.root, ...proof].some((hash) => hash.length !== hashBytes)) throw invalid('length of a hash')
  if (older.size > newer.size) throw new Problem('invalid-proof', { detail: 'The newer tree is the smaller one' })
  if (older.size === 0 || older.size === newer.size) {
    if (proof.length > 0) throw invalid('length')
    if (!equalBytes(older.root, older.size === 0 ? emptyRoot() : newer.root)) throw invalid('older root')
    return
  }
  const [first, ...rest] = isPowerOfTwo(older.size) ? [older.root, ...proof] : proof
  if (first === undefined || proof.length === 0) throw invalid('length')

  let node = older.size - 1
  let last = newer.size - 1
  while (node % 2 === 1) {
    node = (node - 1) / 2
    last = Math.floor(last / 2)
  }
  let olderHash = first
  let newerHash = first
  for (const hash of rest) {
    if (last === 0) throw invalid('length')
    if (node % 2 === 1 || node === last) {
      olderHash = nodeHash(hash, olderHash)
      newerHash = nodeHash(hash, newerHash)
      while (node % 2 === 0 && node !== 0) {
        node /= 2
        last = Math.floor(last / 2)
      }
    } else newerHash = nodeHash(newerHash, hash)
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  if (last !== 0) throw invalid('length')
  if (!equalBytes(olderHash, older.root)) throw invalid('older root')
  if (!equalBytes(newerHash, newer.root)) throw invalid('newer root')
}

function isPowerOfTwo(n: number): boolean {
  return n === 1 || largestPowerOfTwoBelow(n) * 2 === n
}

function invalid(what: string): Problem {
  return new Problem('invalid-proof', { detail: `The consistency proof does not verify: wrong ${what}` })
}
