import { canonicalJson, hmacSha256, utf8 } from '@tillit/codec'

/** Length of the secret salt of a commitment, in bytes. */
export const saltBytes = 16

/** Length of a commitment and of every hash in the log, in bytes. */
export const hashBytes = 32

/**
 * The log's leaf data for an entry: HMAC-SHA256 under the salt over the entry's RFC 8785 form, 32 bytes. Without the salt
 * nobody can tell what was committed to, so deleting the salt unlinks the leaf from its entry (EDPB 02/2025).
 */
export function commit(salt: Uint8Array, entry: object): Uint8Array {
  return commitText(salt, canonicalJson(entry))
}

/** As {@link commit}, for an entry that is in its RFC 8785 form already. */
export function commitText(salt: Uint8Array, canonicalText: string): Uint8Array {
  if (salt.length !== saltBytes) throw new RangeError(`a salt is ${saltBytes} bytes long`)
  return hmacSha256(salt, utf8(canonicalText))
}
