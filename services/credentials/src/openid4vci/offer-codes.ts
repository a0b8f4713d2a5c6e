import { concat, encodeId, hmacSha256, idBytes, sha256, toBase64url, utf8 } from '@tillit/codec'
import type { Context } from '../ports.ts'

/** Digits of a transaction code: the authorization server lets it be tried a few times only. */
export const txCodeDigits = 6

const saltBytes = 16

export function newOfferId({ randomBytes }: Pick<Context, 'randomBytes'>): string {
  return encodeId('offer', randomBytes(idBytes))
}

/**
 * The code in an offer: its pre-authorized code, or its issuer state. It follows from a secret of the city and the offer's
 * id, so that a copy of the database has no code in it. The offer itself is public to whoever knows its id: with the running
 * city beside it, an id in the database leads to the code. What protects then is the transaction code, and that offers end.
 */
export function offerCode({ openid4vci }: Pick<Context, 'openid4vci'>, offerId: string): string {
  return toBase64url(hmacSha256(openid4vci.offerSecret, utf8(offerId)))
}

/** A code that travels to the holder by another way than the offer, and what is kept of it. */
export function newTxCode({ randomBytes }: Pick<Context, 'randomBytes'>): {
  txCode: string
  salt: Uint8Array
  digest: Uint8Array
} {
  const txCode = randomDigits(randomBytes)
  const salt = randomBytes(saltBytes)
  return { txCode, salt, digest: sha256(concat(salt, utf8(txCode))) }
}

/** Every digit equally likely: bytes from 250 on would favour the small ones. */
function randomDigits(randomBytes: Context['randomBytes']): string {
  let digits = ''
  while (digits.length < txCodeDigits) {
    for (const byte of randomBytes(txCodeDigits)) if (byte < 250 && digits.length < txCodeDigits) digits += byte % 10
  }
  return digits
}
