import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { concat, fromBase64url, fromUtf8, toBase64url, utf8 } from '@tillit/codec'

/** AES-256-GCM (NIST SP 800-38D): a random nonce of 96 bits, the full tag of 128. */
const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

export interface Sealed {
  readonly nonce: string
  /** Cipher text and tag, base64url. */
  readonly data: string
}

/** Encrypts the text; `context` is not in it, but must be the same when it is opened. */
export function seal(key: Uint8Array, context: string, text: string): Sealed {
  const nonce = randomBytes(nonceBytes)
  const encryption = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes })
  encryption.setAAD(utf8(context))
  const data = concat(encryption.update(utf8(text)), encryption.final(), encryption.getAuthTag())
  return { nonce: toBase64url(nonce), data: toBase64url(data) }
}

/** The text, or null when key, context or a single bit is another than it was sealed with. */
export function unseal(key: Uint8Array, context: string, sealed: Sealed): string | null {
  try {
    const data = fromBase64url(sealed.data)
    const decryption = createDecipheriv(cipher, key, fromBase64url(sealed.nonce), { authTagLength: tagBytes })
    decryption.setAAD(utf8(context))
    decryption.setAuthTag(data.slice(-tagBytes))
    return fromUtf8(concat(decryption.update(data.slice(0, -tagBytes)), decryption.final()))
  } catch {
    return null
  }
}
