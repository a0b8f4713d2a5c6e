import { equalBytes } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { hashBytes } from './commit.ts'
import { nodeHash } from './merkle.ts'

export interface InclusionClaim {
  /** Zero-based index of the leaf. */
  readonly index: number
  /** Leaves in the tree. */
  readonly size: number
  /** Root of the tree at that size. */
  readonly root: Uint8Array
  /** The leaf's sibling first, the root's child last. */
  readonly proof: readonly Uint8Array[]
}

/**
 * Verifies that the tree of `size` leaves under `root` holds the leaf hash at `index` (RFC 9162 section 2.1.3.2). Throws
 * Problem invalid-proof.
 */
export function verifyInclusion(leaf: Uint8Array, claim: InclusionClaim): void {
  const { index, size, root, proof } = claim
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new Problem('invalid-proof', { detail: 'The index lies outside the tree' })
  }
  if (proof.some((sibling) => sibling.length !== hashBytes)) {
    throw new Problem('invalid-proof', { detail: 'A hash of the inclusion proof is not 32 bytes long' })
  }
  let hash = leaf
  let node = index
  let last = size - 1
  for (const sibling of proof) {
    if (last === 0) throw new Problem('invalid-proof', { detail: 'The inclusion proof is too long' })
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      while (node % 2 === 0 && node !== 0) {
        node /= 2
        last = Math.floor(last / 2)
      }
    } else hash = nodeHash(hash, sibling)
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  if (last !== 0) throw new Problem('invalid-proof', { detail: 'The inclusion proof is too short' })
  if (!equalBytes(hash, root)) {
    throw new Problem('invalid-proof', { detail: 'The inclusion proof leads to another root than that of the tree' })
  }
}
