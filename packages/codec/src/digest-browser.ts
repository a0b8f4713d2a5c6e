import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { fromBase64url, toBase64url } from './base64.ts'
import { fromUtf8, utf8 } from './bytes.ts'

/** SHA-256 of the parts, one after the other. 32 bytes. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return nobleSha256(only)
  const hash = nobleSha256.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** SHA-256 of the UTF-8 form of a text. */
export function sha256OfText(text: string): Uint8Array {
  return nobleSha256(utf8(text))
}

/** The same as text: base64url of the SHA-256, as SD-JWTs and thumbprints write it. */
export function digestOfText(text: string): string {
  return toBase64url(sha256OfText(text))
}

/** Base64url of the UTF-8 form of a text. */
export function base64urlOfText(text: string): string {
  return toBase64url(utf8(text))
}

/** The text whose UTF-8 form is written in base64url. Throws Problem invalid-request. */
export function textOfBase64url(encoded: string): string {
  return fromUtf8(fromBase64url(encoded))
}

export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  return hmac(nobleSha256, key, message)
}
