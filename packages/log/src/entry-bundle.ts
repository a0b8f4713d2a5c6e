import { Problem } from '@tillit/problem'
import { hashBytes } from './commit.ts'

/** Two length bytes and the 32 bytes of a commitment. */
const entryBytes = 2 + hashBytes

/** An entry bundle of C2SP tlog-tiles: each commitment after its length as a big-endian uint16. */
export function encodeEntryBundle(commitments: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(commitments.length * entryBytes)
  for (const [i, commitment] of commitments.entries()) {
    if (commitment.length !== hashBytes) throw new RangeError('a commitment is 32 bytes long')
    bundle[i * entryBytes + 1] = hashBytes
    bundle.set(commitment, i * entryBytes + 2)
  }
  return bundle
}

/** The commitments of a bundle of this log. Throws Problem invalid-proof when an entry is not 32 bytes long. */
export function parseEntryBundle(bundle: Uint8Array): Uint8Array[] {
  if (bundle.length % entryBytes !== 0) throw malformed()
  const commitments: Uint8Array[] = []
  for (let at = 0; at < bundle.length; at += entryBytes) {
    if (bundle[at] !== 0 || bundle[at + 1] !== hashBytes) throw malformed()
    commitments.push(bundle.slice(at + 2, at + entryBytes))
  }
  return commitments
}

function malformed(): Problem {
  return new Problem('invalid-proof', { detail: 'The entry bundle does not hold entries of 32 bytes each' })
}
