import { fromUtf8, type Json, parseJson, utf8 } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK } from 'jose'
import { isObject, type JsonObject } from './read-members.ts'

/** What HAIP 1.0 section 5 asks of everybody: ECDH-ES over P-256 with AES-GCM. */
const keyAgreement = 'ECDH-ES'
const encodings = ['A256GCM', 'A128GCM'] as const

export interface Recipient {
  readonly jwk: JsonObject
  readonly enc: string
}

/**
 * The first key of a JWK set that this wallet can encrypt to, with the strongest encoding that both know (`supported` null:
 * nothing was said, so A128GCM as OpenID4VP 1.0 section 8.3 has it). Null when there is none.
 */
export function chooseRecipient(jwks: Json | undefined, supported: readonly string[] | null): Recipient | null {
  const keys = isObject(jwks) && Array.isArray(jwks.keys) ? jwks.keys.filter(isObject) : []
  const jwk = keys.find(
    ({ alg, use, kty, crv }) => alg === keyAgreement && use !== 'sig' && kty === 'EC' && crv === 'P-256',
  )
  const enc = encodings.find((known) => (supported ?? ['A128GCM']).includes(known))
  return jwk === undefined || enc === undefined ? null : { jwk, enc }
}

/** A JSON message only the recipient can read, as a compact JWE (RFC 7516). */
export async function encryptMessage(message: object, { jwk, enc }: Recipient): Promise<string> {
  const kid = typeof jwk.kid === 'string' ? { kid: jwk.kid } : {}
  return new CompactEncrypt(utf8(JSON.stringify(message)))
    .setProtectedHeader({ alg: keyAgreement, enc, ...kid })
    .encrypt(await importJWK({ ...jwk }, keyAgreement))
}

/** A key for one answer, and how to read what was encrypted to it. */
export interface AnswerKey {
  /** The `credential_response_encryption` of a request (OpenID4VCI 1.0 section 8.2). */
  readonly parameters: { readonly jwk: object; readonly enc: string }
  /** Throws Problem invalid-request when it was not encrypted to this key as was asked. */
  decrypt(jwe: string): Promise<Json>
}

/** Null when the issuer encrypts in no way that this wallet knows. */
export async function createAnswerKey(
  algorithms: readonly string[],
  supported: readonly string[],
): Promise<AnswerKey | null> {
  const enc = encodings.find((known) => supported.includes(known))
  if (!algorithms.includes(keyAgreement) || enc === undefined) return null
  const { publicKey, privateKey } = await generateKeyPair(keyAgreement, { crv: 'P-256' })
  const jwk = { ...(await exportJWK(publicKey)), use: 'enc', alg: keyAgreement }
  return {
    parameters: { jwk, enc },
    async decrypt(jwe) {
      try {
        const { plaintext } = await compactDecrypt(jwe, privateKey, {
          keyManagementAlgorithms: [keyAgreement],
          contentEncryptionAlgorithms: [enc],
        })
        return parseJson(fromUtf8(plaintext))
      } catch (cause) {
        throw new Problem('invalid-request', { detail: 'The answer is not encrypted to the wallet’s key', cause })
      }
    },
  }
}
