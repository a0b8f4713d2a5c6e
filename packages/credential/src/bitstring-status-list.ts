import { fromBase64url, toBase64url } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { maxStatusListBytes, type StatusList } from './status-list.ts'

/** Bitstring Status List v1.0 section 6.1: at least 131,072 entries, so that one hides among many. */
const minBitstringBytes = 131_072 / 8

export type StatusPurpose = 'revocation' | 'suspension'
export const statusPurposes: readonly StatusPurpose[] = ['revocation', 'suspension']

/** gzip (RFC 1952), given by the platform. `gunzip` must stop with an error beyond `maxBytes`. */
export type Gzip = (bytes: Uint8Array) => Uint8Array
export type Gunzip = (bytes: Uint8Array, maxBytes: number) => Uint8Array

/**
 * The bitstring of one purpose, first entry leftmost, from a list of two bits an entry (bit 0 revoked, bit 1 suspended):
 * so both specifications publish the same bitmap. Filled up with zeros to the least size.
 */
export function bitstringOf({ bytes }: StatusList & { bits: 2 }, purpose: StatusPurpose): Uint8Array {
  const bitstring = new Uint8Array(Math.max(minBitstringBytes, Math.ceil(bytes.length / 2)))
  const nibbles = nibblesOf[purpose]
  for (let i = 0; i < bytes.length; i++) {
    const nibble = nibbles[bytes[i] ?? 0] ?? 0
    bitstring[i >> 1] = (bitstring[i >> 1] ?? 0) | (i % 2 === 0 ? nibble << 4 : nibble)
  }
  return bitstring
}

/** `encodedList`: gzip, then multibase base64url without padding (section 3.3). */
export function encodeBitstring(bitstring: Uint8Array, gzip: Gzip): string {
  return `u${toBase64url(gzip(bitstring))}`
}

/** Throws Problem invalid-status-list. */
export function decodeBitstring(encodedList: unknown, gunzip: Gunzip): Uint8Array {
  if (typeof encodedList !== 'string' || !encodedList.startsWith('u')) {
    throw malformed('The bitstring is not multibase base64url')
  }
  let bitstring: Uint8Array
  try {
    bitstring = gunzip(fromBase64url(encodedList.slice(1)), maxStatusListBytes)
  } catch (cause) {
    throw malformed('The bitstring is not gzip in base64url, or too large', cause)
  }
  if (bitstring.length > maxStatusListBytes) throw malformed('The bitstring is too large')
  // Section 3.2, step 9: a shorter list would not hide its entries.
  if (bitstring.length < minBitstringBytes) throw malformed('The bitstring is shorter than 131,072 entries')
  return bitstring
}

/** The value of an entry of `statusSize` bits, the first bit leftmost. Throws Problem invalid-status-list beyond the end. */
export function bitstringValueAt(bitstring: Uint8Array, index: number, statusSize = 1): number {
  const first = index * statusSize
  if (!Number.isSafeInteger(first) || first < 0 || first + statusSize > bitstring.length * 8) {
    throw malformed('The index is outside the status list')
  }
  let value = 0
  for (let bit = first; bit < first + statusSize; bit++) {
    value = value * 2 + (((bitstring[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1)
  }
  return value
}

/** Four entries of a byte to four bits of a purpose, the first entry leftmost. */
const nibblesOf: Record<StatusPurpose, Uint8Array> = { revocation: nibbleTable(0), suspension: nibbleTable(1) }

function nibbleTable(bitOfEntry: 0 | 1): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    [0, 1, 2, 3].reduce((nibble, entry) => nibble | (((byte >> (entry * 2 + bitOfEntry)) & 1) << (3 - entry)), 0),
  )
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-status-list', { detail, ...(cause === undefined ? {} : { cause }) })
}
