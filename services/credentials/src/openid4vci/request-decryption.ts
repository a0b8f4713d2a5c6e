import { generateKeyPairSync } from 'node:crypto'
import { fromUtf8, type Json, parseJson } from '@tillit/codec'
import { parsePublicJwk, thumbprint, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { PublicJwk } from '@tillit/schemas'
import { type CryptoKey, compactDecrypt, errors, importJWK, type JWK } from 'jose'
import { encryptionAlgorithm, encryptionMethods } from './encrypt-response.ts'

/** The key to which wallets encrypt requests. */
export interface RequestDecryption {
  publicJwk: PublicJwk & { kid: string; use: 'enc'; alg: string }
  /** Gives the JSON in a compact JWE. Throws Problem invalid-encryption-parameters or invalid-json. */
  decrypt(jwe: string): Promise<Json>
}

/** A new private key for `openRequestDecryption`, to be kept as the text that it is. */
export function newRequestKey(): string {
  return JSON.stringify(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }))
}

/** From the text of a private P-256 JWK. */
export async function openRequestDecryption(privateKey: string): Promise<RequestDecryption> {
  const privateJwk: JWK = JSON.parse(privateKey)
  const { kty, crv, x, y } = privateJwk
  const publicKey = parsePublicJwk({ kty, crv, x, y })
  const kid = thumbprint(publicKey)
  const key = await importJWK(privateJwk, encryptionAlgorithm)
  return {
    publicJwk: { ...toPublicJwk(publicKey), kid, use: 'enc', alg: encryptionAlgorithm },
    decrypt: (jwe) => decrypt(jwe, key, kid),
  }
}

async function decrypt(jwe: string, key: CryptoKey | Uint8Array, kid: string): Promise<Json> {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, key, {
    keyManagementAlgorithms: [encryptionAlgorithm],
    contentEncryptionAlgorithms: [...encryptionMethods],
  }).catch((cause: unknown) => {
    if (!(cause instanceof errors.JOSEError)) throw cause
    throw undecipherable('The request cannot be decrypted', cause)
  })
  if (protectedHeader.kid !== kid) throw undecipherable('The request is not encrypted to the key of this issuer')
  return parseJson(fromUtf8(plaintext))
}

function undecipherable(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-encryption-parameters', { detail, ...(cause === undefined ? {} : { cause }) })
}
