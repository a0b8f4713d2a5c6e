import { concat, fromBase64, sha256, toBase64, toHex, utf8 } from '@tillit/codec'
import { Problem } from '@tillit/problem'

/** Length of a key id on a signature line, in bytes (C2SP signed-note). */
export const keyIdBytes = 4

/** A key as notes name it: what its signatures are, and its bytes. */
export interface TypedKey {
  /** Signature type identifier (C2SP signed-note, signature types). */
  readonly type: number
  readonly bytes: Uint8Array
}

/** First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key) (C2SP signed-note). */
export function keyId(name: string, { type, bytes }: TypedKey): Uint8Array {
  return sha256(utf8(`${name}\n`), Uint8Array.of(type), bytes).slice(0, keyIdBytes)
}

/** The vkey text: `name+hex of the id+base64 of the type and the key` (C2SP signed-note, verifier keys). */
export function formatVkey(name: string, key: TypedKey): string {
  return `${name}+${toHex(keyId(name, key))}+${toBase64(concat(Uint8Array.of(key.type), key.bytes))}`
}

/**
 * Parses a vkey with `make`, which knows the types it takes. Throws Problem invalid-checkpoint when it is malformed, or its id
 * is not that of its key.
 */
export function parseVkey<Key extends { readonly id: Uint8Array }>(
  text: string,
  make: (name: string, key: TypedKey) => Key,
): Key {
  const [name, id, ...rest] = text.split('+')
  // The base64 of the key may hold plus signs; the name and the hash may not.
  if (name === undefined || id === undefined || rest.length === 0) throw invalidVkey('it is not name+hash+key')
  const key = make(name, decodeKey(rest.join('+')))
  if (toHex(key.id) !== id) throw invalidVkey('its hash is not that of its key')
  return key
}

/** Key names are not empty and hold no Unicode space, control character or plus (C2SP signed-note). */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name)
}

export function invalidVkey(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-checkpoint', { detail: `The verifier key is not valid: ${detail}`, cause })
}

function decodeKey(encoded: string): TypedKey {
  let bytes: Uint8Array
  try {
    bytes = fromBase64(encoded)
  } catch (cause) {
    throw invalidVkey('its key is not base64', cause)
  }
  const [type] = bytes
  if (type === undefined) throw invalidVkey('its key is empty')
  return { type, bytes: bytes.slice(1) }
}
