import { Problem } from '@tillit/problem'
import { isEntryLength } from './log-entry.ts'

/** Bytes of the length that stands before each entry. */
const lengthBytes = 2

/** An entry bundle of C2SP tlog-tiles: each entry of the log after its length as a big-endian uint16. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(entries.reduce((sum, entry) => sum + lengthBytes + entry.length, 0))
  let at = 0
  for (const entry of entries) {
    if (!isEntryLength(entry.length)) throw new RangeError('an entry of the log is 32 or 48 bytes long')
    bundle[at + 1] = entry.length
    bundle.set(entry, at + lengthBytes)
    at += lengthBytes + entry.length
  }
  return bundle
}

/** The entries of a bundle of this log. Throws Problem invalid-proof when one is cut off, or not 32 or 48 bytes long. */
export function parseEntryBundle(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = []
  for (let at = 0; at < bundle.length; ) {
    const length = ((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0)
    const end = at + lengthBytes + length
    if (!isEntryLength(length) || end > bundle.length) throw malformed()
    entries.push(bundle.slice(at + lengthBytes, end))
    at = end
  }
  return entries
}

function malformed(): Problem {
  return new Problem('invalid-proof', { detail: 'The entry bundle does not hold entries of 32 or 48 bytes each' })
}
