import { concat } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { hashBytes, saltBytes } from './commit.ts'

/** What the log holds at an index: the commitment, and for entries that are public the salt that opens it. */
export interface LogEntry {
  readonly commitment: Uint8Array
  /** 16 bytes; null: whoever holds the salt keeps it, and the entry stays closed to the public. */
  readonly publicSalt: Uint8Array | null
}

/** The bytes of an entry, over which the leaf hash is taken: 32 of the commitment, and 16 of the salt where it is public. */
export function logEntry(commitment: Uint8Array, publicSalt: Uint8Array | null = null): Uint8Array {
  if (commitment.length !== hashBytes) throw new RangeError(`a commitment is ${hashBytes} bytes long`)
  if (publicSalt === null) return commitment.slice()
  if (publicSalt.length !== saltBytes) throw new RangeError(`a salt is ${saltBytes} bytes long`)
  return concat(commitment, publicSalt)
}

/** Takes an entry apart. Throws Problem invalid-proof for one that is neither 32 nor 48 bytes long. */
export function parseLogEntry(bytes: Uint8Array): LogEntry {
  if (!isEntryLength(bytes.length)) {
    throw new Problem('invalid-proof', { detail: 'An entry of the log is not 32 or 48 bytes long' })
  }
  const commitment = bytes.slice(0, hashBytes)
  return { commitment, publicSalt: bytes.length === hashBytes ? null : bytes.slice(hashBytes) }
}

export function isEntryLength(length: number): boolean {
  return length === hashBytes || length === hashBytes + saltBytes
}
