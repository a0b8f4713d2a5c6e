import { fromBase64url, toBase64url } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { CredentialStatus } from './credential-status.ts'

/** Largest list accepted, in bytes after inflation: 32 million credentials of two bits. */
export const maxStatusListBytes = 8 * 1024 * 1024

/** zlib (RFC 1950), given by the platform. `inflate` must stop with an error beyond `maxBytes`. */
export type Deflate = (bytes: Uint8Array) => Uint8Array
export type Inflate = (bytes: Uint8Array, maxBytes: number) => Uint8Array

/** IETF Token Status List, section 4: statuses of `bits` bits each, packed from the least significant bit of each byte. */
export interface StatusList {
  bits: 1 | 2 | 4 | 8
  bytes: Uint8Array
}

/** The `status_list` claim of a token: zlib, then base64url (section 4.2). */
export interface EncodedStatusList {
  bits: number
  lst: string
}

export function encodeStatusList(list: StatusList, deflate: Deflate): EncodedStatusList {
  return { bits: list.bits, lst: toBase64url(deflate(list.bytes)) }
}

/** Throws Problem invalid-status-list. */
export function decodeStatusList(encoded: unknown, inflate: Inflate): StatusList {
  if (encoded === null || typeof encoded !== 'object') throw malformed('The status list is missing')
  const { bits, lst } = encoded as Record<string, unknown>
  if (bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8) throw malformed('A status has 1, 2, 4 or 8 bits')
  if (typeof lst !== 'string') throw malformed('The status list is missing')
  let bytes: Uint8Array
  try {
    bytes = inflate(fromBase64url(lst), maxStatusListBytes)
  } catch (cause) {
    throw malformed('The status list is not zlib in base64url, or too large', cause)
  }
  if (bytes.length > maxStatusListBytes) throw malformed('The status list is too large')
  return { bits, bytes }
}

/** The status at an index: 0 valid, 1 revoked, 2 suspended (section 7.1). Throws Problem invalid-status-list for others. */
export function statusAt(list: StatusList, idx: number): CredentialStatus {
  switch (valueAt(list, idx)) {
    case 0:
      return 'valid'
    case 1:
      return 'revoked'
    case 2:
      return 'suspended'
    default:
      throw malformed('The status has a meaning that is not known here')
  }
}

/** The raw value at an index. Throws Problem invalid-status-list when the list does not reach that far. */
export function valueAt(list: StatusList, idx: number): number {
  const perByte = 8 / list.bits
  const byte = Number.isSafeInteger(idx) && idx >= 0 ? list.bytes[Math.floor(idx / perByte)] : undefined
  if (byte === undefined) throw malformed('The index is outside the status list')
  return (byte >> ((idx % perByte) * list.bits)) & ((1 << list.bits) - 1)
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-status-list', { detail, ...(cause === undefined ? {} : { cause }) })
}
