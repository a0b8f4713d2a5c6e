import { fromHex } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { KeyAlgorithm } from './key-record.ts'
import type { Pkcs11 } from './load-pkcs11.ts'

/** What PKCS#11 tokens hold; ML-DSA came with version 3.2, which few speak yet. */
export type TokenAlgorithm = Exclude<KeyAlgorithm, 'ML-DSA-44'>

interface TokenAlgorithmParts {
  readonly generateMechanism: number
  readonly signMechanism: number
  /** CKA_EC_PARAMS: the curve's object identifier in DER (RFC 5480, RFC 8410). */
  readonly parameters: Uint8Array
  /** From CKA_EC_POINT. Throws Problem key-store-unavailable for another key than was asked for. */
  parsePoint(value: Uint8Array): Uint8Array
}

/** PKCS#11 3.0, which pkcs11js has no names for: CKM_EC_EDWARDS_KEY_PAIR_GEN and CKM_EDDSA. */
const edwardsKeyPairGen = 0x1055
const eddsa = 0x1057

const curves = {
  EdDSA: { parameters: fromHex('06032b6570'), pointBytes: 32 },
  ES256: { parameters: fromHex('06082a8648ce3d030107'), pointBytes: 65 },
  ES256K: { parameters: fromHex('06052b8104000a'), pointBytes: 65 },
} as const

export function tokenAlgorithms(pkcs11: Pkcs11): Record<TokenAlgorithm, TokenAlgorithmParts> {
  const ecdsa = { generateMechanism: pkcs11.CKM_EC_KEY_PAIR_GEN, signMechanism: pkcs11.CKM_ECDSA }
  return {
    EdDSA: { generateMechanism: edwardsKeyPairGen, signMechanism: eddsa, ...curveParts('EdDSA') },
    ES256: { ...ecdsa, ...curveParts('ES256') },
    ES256K: { ...ecdsa, ...curveParts('ES256K') },
  }
}

function curveParts(alg: TokenAlgorithm): Pick<TokenAlgorithmParts, 'parameters' | 'parsePoint'> {
  const { parameters, pointBytes } = curves[alg]
  return {
    parameters,
    // A DER OCTET STRING with a length of one byte; some tokens give the bare point.
    parsePoint: (value) => {
      if (value.length === pointBytes) return value
      if (value.length === pointBytes + 2 && value[0] === 4 && value[1] === pointBytes) return value.slice(2)
      throw new Problem('key-store-unavailable', { detail: `The token gave a public key that is not one of ${alg}` })
    },
  }
}
