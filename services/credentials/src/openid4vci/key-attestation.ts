import { type ParsedJws, type PublicKey, parseJws, parsePublicJwk, verifyJws } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { keyOfCertificateChain } from './certificate-chain.ts'

const attestationType = 'key-attestation+jwt'

/** How far the clocks of attester and city may differ, in seconds. */
const skewSeconds = 60

/** Whose word about keys this city takes: by the id of their key, or by a certificate above it. */
export interface KeyAttesters {
  keys: ReadonlyMap<string, PublicKey>
  /** Trust anchors in PEM. */
  certificates: readonly string[]
  /** Whether nothing is issued to a key that nobody attested. */
  required: boolean
}

export interface AttestedKeys {
  /** In their order; `kid` as the attestation has it. */
  keys: readonly { key: PublicKey; kid?: string }[]
  nonce: string
}

/**
 * Verifies a key attestation (OpenID4VCI 1.0 appendix D.1): signed by an attester that is trusted here, with a nonce, in its
 * time. Beside a proof it has to have an end. The nonce shows that the attester said so minutes ago, so no status of it is asked
 * for. Throws Problem invalid-proof.
 */
export function verifyKeyAttestation(
  attestation: string,
  { attesters, now, beside }: { attesters: KeyAttesters | null; now: Date; beside: 'proof' | 'none' },
): AttestedKeys {
  if (attesters === null) throw invalid('No attester of keys is trusted here')
  try {
    const jws = parseJws(attestation)
    verifyJws(jws, attesterKey(jws.header, attesters, now), { typ: attestationType })
    const { iat, exp, nonce, attested_keys: attested } = jws.payload
    const nowSeconds = now.getTime() / 1000
    if (typeof iat !== 'number' || iat > nowSeconds + skewSeconds) throw invalid('The key attestation has no time')
    if (exp === undefined ? beside === 'proof' : typeof exp !== 'number' || exp <= nowSeconds)
      throw invalid('The key attestation has expired, or does not say when it does')
    if (typeof nonce !== 'string') throw invalid('The key attestation has no nonce')
    if (!Array.isArray(attested) || attested.length === 0) throw invalid('The key attestation names no keys')
    return { nonce, keys: attested.map(attestedKey) }
  } catch (cause) {
    if (!isProblem(cause) || cause.code === 'invalid-proof') throw cause
    throw new Problem('invalid-proof', { detail: `The key attestation does not verify: ${cause.message}`, cause })
  }
}

function attesterKey({ kid, x5c, jwk }: ParsedJws['header'], attesters: KeyAttesters, now: Date): PublicKey {
  if (jwk !== undefined) throw invalid('A key attestation that vouches for its own key says nothing')
  if (x5c !== undefined) return keyOfCertificateChain(x5c, { anchors: attesters.certificates, now })
  const key = typeof kid === 'string' ? attesters.keys.get(kid) : undefined
  if (key === undefined) throw invalid('The attester is not trusted here')
  return key
}

function attestedKey(jwk: unknown): AttestedKeys['keys'][number] {
  if (jwk === null || typeof jwk !== 'object' || Array.isArray(jwk)) throw invalid('An attested key is no JWK')
  const key = parsePublicJwk({ ...jwk })
  return 'kid' in jwk && typeof jwk.kid === 'string' ? { key, kid: jwk.kid } : { key }
}

function invalid(detail: string): Problem {
  return new Problem('invalid-proof', { detail, pointer: '/proofs' })
}
