import { concat, fromBase64, sha256, toBase64, toHex, utf8 } from '@tillit/codec'
import { ed25519PublicKey, type PublicKey } from '@tillit/keys'
import { Problem } from '@tillit/problem'

/** Signature type of plain Ed25519 notes (C2SP signed-note). */
const ed25519Type = 0x01

/** Whose signature on a note is trusted: a name, and the Ed25519 key. */
export interface VerifierKey {
  readonly name: string
  /** First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key). */
  readonly id: Uint8Array
  readonly publicKey: PublicKey
}

/** Throws Problem invalid-checkpoint for a name or a kind of key that notes cannot have. */
export function verifierKey(name: string, publicKey: PublicKey): VerifierKey {
  if (!isKeyName(name)) throw invalid('the name is empty, has spaces, control characters or a plus')
  if (publicKey.alg !== 'EdDSA') throw invalid('the key is not an Ed25519 key')
  const hash = sha256(utf8(`${name}\n`), typedKey(publicKey))
  return { name, id: hash.slice(0, 4), publicKey }
}

/** The vkey text: `name+hex of the id+base64 of the type and the key`. */
export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${toHex(key.id)}+${toBase64(typedKey(key.publicKey))}`
}

/** Parses a vkey. Throws Problem invalid-checkpoint when it is malformed, or its id is not that of its key. */
export function parseVerifierKey(text: string): VerifierKey {
  const [name, id, ...rest] = text.split('+')
  // The base64 of the key may hold plus signs; the name and the hash may not.
  if (name === undefined || id === undefined || rest.length === 0) throw invalid('it is not name+hash+key')
  const key = verifierKey(name, decodeKey(rest.join('+')))
  if (toHex(key.id) !== id) throw invalid('its hash is not that of its key')
  return key
}

/** Key names are not empty and hold no Unicode space, control character or plus (C2SP signed-note). */
export function isKeyName(name: string): boolean {
  return name !== '' && !/[\p{White_Space}\p{Cc}+]/u.test(name)
}

function decodeKey(encoded: string): PublicKey {
  let bytes: Uint8Array
  try {
    bytes = fromBase64(encoded)
  } catch (cause) {
    throw invalid('its key is not base64', cause)
  }
  if (bytes[0] !== ed25519Type) throw invalid('its key is not an Ed25519 key')
  try {
    return ed25519PublicKey(bytes.slice(1))
  } catch (cause) {
    throw invalid('its key is malformed or weak', cause)
  }
}

function typedKey(publicKey: PublicKey): Uint8Array {
  return concat(Uint8Array.of(ed25519Type), publicKey.bytes)
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-checkpoint', { detail: `The verifier key is not valid: ${detail}`, cause })
}
