import { parseOpenid4VpAuthorizationResponsePayload } from '@openid4vc/openid4vp'
import { fromUtf8, type Json, parseJson } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import { compactDecrypt, importJWK, type JWK } from 'jose'
import { contentEncryptions } from './encryption-key.ts'
import type { PresentationRow } from './tables.ts'

/** What a wallet posts; parameters that are not known are ignored. */
export interface ResponseForm {
  response?: string
  vp_token?: string
  error?: string
  error_description?: string
}

/** What the wallet answers: presentations, or why there are none. */
export type WalletResponse = { vpToken: unknown } | { error: string; errorDescription: string | null }

type Payload = { readonly [name: string]: unknown }

/** RFC 6749 section 4.1.2.1. */
const errorPattern = /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,64}$/
const maxDescriptionCharacters = 300

/**
 * Reads an authorization response (OpenID4VP 1.0 sections 8.1 to 8.5): encrypted when that was asked for; errors may come
 * without. Throws Problem invalid-presentation.
 */
export async function readResponse(
  { response_mode: mode, encryption_key: key }: PresentationRow,
  form: ResponseForm,
): Promise<WalletResponse> {
  const payload = form.response === undefined ? plainPayload(form) : await decrypt(form.response, key)
  if (payload.error !== undefined) return errorIn(payload)
  if (mode === 'direct_post.jwt' && form.response === undefined) throw unreadable('The response is not encrypted')
  return { vpToken: vpTokenIn(payload) }
}

function plainPayload({ vp_token: vpToken, ...form }: ResponseForm): Payload {
  return vpToken === undefined ? { ...form } : { ...form, vp_token: parseText(vpToken) }
}

/** Section 8.3: an unsigned JWE to the key of this request, named by its `kid`. */
async function decrypt(jwe: string, key: JWK | null): Promise<Payload> {
  if (key === null) throw unreadable('An encrypted response was not asked for')
  const { plaintext, kid } = await decryptWith(key, jwe)
  if (kid !== key.kid) throw unreadable('The response is encrypted to another key')
  const payload = parseText(fromUtf8(plaintext))
  if (payload !== null && typeof payload === 'object' && !Array.isArray(payload)) return payload
  throw unreadable('The encrypted response is not an object')
}

async function decryptWith(key: JWK, jwe: string): Promise<{ plaintext: Uint8Array; kid: string | undefined }> {
  try {
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, await importJWK(key, 'ECDH-ES'), {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: [...contentEncryptions],
    })
    return { plaintext, kid: protectedHeader.kid }
  } catch (cause) {
    throw unreadable('The response cannot be decrypted', cause)
  }
}

function errorIn({ error, error_description: description }: Payload): WalletResponse {
  if (typeof error !== 'string' || !errorPattern.test(error)) throw unreadable('The error is not a code')
  return {
    error,
    errorDescription: typeof description === 'string' ? readable(description) : null,
  }
}

/** As much as is kept, in characters that can be. */
function readable(description: string): string {
  return description
    .slice(0, maxDescriptionCharacters)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, ' ')
}

function vpTokenIn(payload: Payload): unknown {
  try {
    return parseOpenid4VpAuthorizationResponsePayload({ ...payload }).vp_token
  } catch (cause) {
    throw unreadable('The response holds no vp_token in the form of DCQL', cause)
  }
}

function parseText(text: string): Json {
  try {
    return parseJson(text)
  } catch (cause) {
    if (isProblem(cause, 'invalid-json')) throw unreadable('The response is not JSON', cause)
    throw cause
  }
}

function unreadable(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-presentation', { detail, ...(cause === undefined ? {} : { cause }) })
}
