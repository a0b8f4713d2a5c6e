import type { Caller } from '@tillit/http'
import { type PublicKey, thumbprint, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { type CredentialRequest, maxBatchSize, type PublicJwk } from '@tillit/schemas'
import type { Context } from '../ports.ts'
import { requireKeysOf } from './holder-keys.ts'
import { verifyKeyAttestation } from './key-attestation.ts'
import { verifyJwtProof } from './verify-jwt-proof.ts'

export interface ProvenKeys {
  /** Each key once: every one gets a credential of its own. */
  keys: PublicJwk[]
  /** To be used up by whoever issues. */
  nonces: string[]
}

type Proven = { keys: readonly PublicKey[]; nonces: readonly string[] }

/**
 * Verifies the proofs of a credential request (OpenID4VCI 1.0 appendix F): of type jwt, or one attestation. A caller with a
 * DID must show keys that its document lists for authentication. Throws Problem invalid-proof and those of verifyJwtProof.
 */
export async function verifyProofs(
  proofs: CredentialRequest['proofs'],
  caller: Caller,
  context: Context,
): Promise<ProvenKeys> {
  const [proof, ...others] = Object.entries(proofs ?? {})
  if (proof === undefined) throw invalid('A key proof is needed')
  if (others.length > 0) throw invalid('Proofs are of one type')
  const [type, values] = proof
  if (!isTextArray(values) || values.length === 0) throw invalid('Proofs are an array of compact JWTs', `/${type}`)
  if (values.length > maxBatchSize) throw invalid(`At most ${maxBatchSize} proofs are taken at once`, `/${type}`)
  const proven = await verifyType(type, values, { caller, context })
  const keys = new Map(proven.flatMap((one) => one.keys).map((key) => [thumbprint(key), toPublicJwk(key)]))
  if (keys.size > maxBatchSize) throw invalid(`At most ${maxBatchSize} keys are taken at once`, `/${type}`)
  return { keys: [...keys.values()], nonces: [...new Set(proven.flatMap(({ nonces }) => nonces))] }
}

async function verifyType(
  type: string,
  values: readonly string[],
  { caller, context }: { caller: Caller; context: Context },
): Promise<Proven[]> {
  const attesters = context.openid4vci.keyAttesters
  switch (type) {
    case 'jwt':
      return Promise.all(values.map((value) => verifyJwtProof(value, caller, context)))
    case 'attestation': {
      const [attestation, another] = values
      // Appendix F: the array of this type holds exactly one.
      if (attestation === undefined || another !== undefined) throw invalid('One key attestation is taken')
      const { keys, nonce } = verifyKeyAttestation(attestation, { attesters, now: context.now(), beside: 'none' })
      const attested = keys.map(({ key }) => key)
      await requireKeysOf(caller, attested, context.resolveDid)
      return [{ keys: attested, nonces: [nonce] }]
    }
    default:
      throw invalid('Proofs of this type are not taken', `/${type.slice(0, 32)}`)
  }
}

function isTextArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function invalid(detail: string, pointer = ''): Problem {
  return new Problem('invalid-proof', { detail, pointer: `/proofs${pointer}` })
}
