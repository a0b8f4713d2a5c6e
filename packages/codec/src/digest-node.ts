import { createHash, hash } from 'node:crypto'
import { Problem } from '@tillit/problem'
import { concat } from './bytes.ts'

/** Up to this many bytes the parts are joined and hashed by one call; the nodes of a tree are 65 bytes long. */
const oneShotBytes = 4096
const hashBytes = 32
const blockBytes = 64

/** SHA-256 of the parts, one after the other. 32 bytes. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  const [first] = parts
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  if (length <= oneShotBytes) return sha256OneShot(parts.length === 1 && first !== undefined ? first : concat(...parts))
  const incremental = createHash('sha256')
  for (const part of parts) incremental.update(part)
  return new Uint8Array(incremental.digest())
}

/** SHA-256 of the UTF-8 form of a text: in half the time of hashing its bytes, as none are made. */
export function sha256OfText(text: string): Uint8Array {
  return sha256OneShot(text)
}

/** The same as text: base64url of the SHA-256, as SD-JWTs and thumbprints write it. */
export function digestOfText(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Base64url of the UTF-8 form of a text. */
export function base64urlOfText(text: string): string {
  return Buffer.from(text).toString('base64url')
}

/**
 * The text whose UTF-8 form is written in base64url, as strictly as fromBase64url and fromUtf8. Throws Problem
 * invalid-request.
 */
export function textOfBase64url(encoded: string): string {
  const text = Buffer.from(encoded, 'base64url').toString()
  // Node lets pass what is not base64url or not UTF-8; none of it comes back the same.
  if (base64urlOfText(text) !== encoded) throw new Problem('invalid-request', { detail: 'Not UTF-8 in base64url' })
  return text
}

/** For small inputs a digest as text of one character a byte comes back in half the time of a Buffer. */
function sha256OneShot(message: Uint8Array | string): Uint8Array {
  const text = hash('sha256', message, 'binary')
  const digest = new Uint8Array(hashBytes)
  for (let i = 0; i < hashBytes; i++) digest[i] = text.charCodeAt(i)
  return digest
}

/** RFC 2104, by two hashes: an Hmac object takes twice their time for messages of the size of an entry. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  const block = new Uint8Array(blockBytes)
  block.set(key.length > blockBytes ? sha256(key) : key)
  const inner = block.map((byte) => byte ^ 0x36)
  const outer = block.map((byte) => byte ^ 0x5c)
  return sha256(outer, sha256(inner, message))
}
