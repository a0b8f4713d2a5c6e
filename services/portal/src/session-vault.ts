import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { concat, fromBase64url, fromUtf8, sha256, toBase64url, utf8 } from '@tillit/codec'
import { isProblem } from '@tillit/problem'

/** Length of the secret in the cookie, in bytes. */
export const secretBytes = 32
const nonceBytes = 12
const tagBytes = 16
const algorithm = 'aes-256-gcm'
const keyPurpose = 'tillit portal session v1'

/** The secret of a cookie's value, or null when it cannot be one of ours. */
export function readSecret(cookie: string | undefined): Uint8Array | null {
  if (cookie === undefined || cookie.length !== 43) return null
  try {
    return fromBase64url(cookie)
  } catch (error) {
    if (isProblem(error)) return null
    throw error
  }
}

export function cookieOf(secret: Uint8Array): string {
  return toBase64url(secret)
}

/** What the database knows a session by. */
export function sessionId(secret: Uint8Array): Uint8Array {
  return sha256(secret)
}

/** Nonce ‖ AES-256-GCM under a key of the secret (HKDF, RFC 5869) ‖ tag. The session's id is authenticated with it. */
export function seal(data: object, secret: Uint8Array, nonce: Uint8Array): Uint8Array {
  const cipher = createCipheriv(algorithm, keyOf(secret), nonce)
  cipher.setAAD(sessionId(secret))
  const sealed = concat(cipher.update(utf8(JSON.stringify(data))), cipher.final())
  return concat(nonce, sealed, cipher.getAuthTag())
}

/** Throws when the bytes were not sealed with this secret: somebody changed the database. */
export function unseal(sealed: Uint8Array, secret: Uint8Array): unknown {
  const decipher = createDecipheriv(algorithm, keyOf(secret), sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
  decipher.setAAD(sessionId(secret))
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  const body = sealed.subarray(nonceBytes, -tagBytes)
  return JSON.parse(fromUtf8(concat(decipher.update(body), decipher.final())))
}

export function newNonce(randomBytes: (length: number) => Uint8Array): Uint8Array {
  return randomBytes(nonceBytes)
}

function keyOf(secret: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), keyPurpose, 32))
}
