import { ed25519PublicKey, type PublicKey } from '@tillit/keys'
import { formatVkey, invalidVkey, isKeyName, keyId, parseVkey } from './vkey.ts'

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
  if (!isKeyName(name)) throw invalidVkey('the name is empty, has spaces, control characters or a plus')
  if (publicKey.alg !== 'EdDSA') throw invalidVkey('the key is not an Ed25519 key')
  return { name, id: keyId(name, { type: ed25519Type, bytes: publicKey.bytes }), publicKey }
}

/** The vkey text: `name+hex of the id+base64 of the type and the key`. */
export function formatVerifierKey({ name, publicKey }: VerifierKey): string {
  return formatVkey(name, { type: ed25519Type, bytes: publicKey.bytes })
}

/** Parses a vkey. Throws Problem invalid-checkpoint when it is malformed, or its id is not that of its key. */
export function parseVerifierKey(text: string): VerifierKey {
  return parseVkey(text, (name, { type, bytes }) => {
    if (type !== ed25519Type) throw invalidVkey('its key is not an Ed25519 key')
    return verifierKey(name, decodeEd25519(bytes))
  })
}

function decodeEd25519(bytes: Uint8Array): PublicKey {
  try {
    return ed25519PublicKey(bytes)
  } catch (cause) {
    throw invalidVkey('its key is malformed or weak', cause)
  }
}
