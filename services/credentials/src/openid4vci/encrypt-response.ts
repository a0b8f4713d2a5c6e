import { utf8 } from '@tillit/codec'
import { parsePublicJwk, toPublicJwk } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import type { ResponseEncryption } from '@tillit/schemas'
import { CompactEncrypt, importJWK } from 'jose'

/** OpenID4VCI 1.0 section 10 and HAIP 1.0 section 5: key agreement over P-256 and AES-GCM. */
export const encryptionAlgorithm = 'ECDH-ES'
export const encryptionMethods = ['A128GCM', 'A256GCM'] as const

type Encrypt = (response: object) => Promise<string>

/**
 * How a response is encrypted for the wallet, settled before anything is issued. Throws Problem invalid-encryption-parameters.
 */
export async function responseEncryption({ jwk, enc, zip }: ResponseEncryption): Promise<Encrypt> {
  const { alg, use, kid, kty, crv, x, y } = jwk
  if (alg !== encryptionAlgorithm) throw unsupported('The algorithm of the key is not ECDH-ES', 'jwk/alg')
  if (!encryptionMethods.some((method) => method === enc)) throw unsupported('The encryption is not supported', 'enc')
  if (zip !== undefined) throw unsupported('Responses are not compressed', 'zip')
  if (use !== undefined && use !== 'enc') throw unsupported('The key is not for encryption', 'jwk/use')
  if (kid !== undefined && typeof kid !== 'string') throw unsupported('The id of the key is not text', 'jwk/kid')
  const key = await importJWK(
    agreementKey({ kty, crv, x, y, ...('d' in jwk ? { d: jwk.d } : {}) }),
    encryptionAlgorithm,
  )
  const header = { alg: encryptionAlgorithm, enc, ...(kid === undefined ? {} : { kid }) }
  return (response) => new CompactEncrypt(utf8(JSON.stringify(response))).setProtectedHeader(header).encrypt(key)
}

/** Only points that are on the curve, so that nothing is agreed with a key that is none. */
function agreementKey(jwk: Record<string, unknown>) {
  if (jwk.crv !== 'P-256') throw unsupported('The key is not on P-256', 'jwk/crv')
  try {
    return { ...toPublicJwk(parsePublicJwk(jwk)) }
  } catch (cause) {
    if (!isProblem(cause)) throw cause
    throw new Problem('invalid-encryption-parameters', {
      detail: cause.message,
      pointer: '/credential_response_encryption/jwk',
      cause,
    })
  }
}

function unsupported(detail: string, member: string): Problem {
  return new Problem('invalid-encryption-parameters', {
    detail,
    pointer: `/credential_response_encryption/${member}`,
  })
}
