import { resolveDocument, resolveKey, withFreshKeys } from '@tillit/credential'
import { verificationKeys } from '@tillit/did'
import type { Caller } from '@tillit/http'
import {
  type ParsedJws,
  type PublicKey,
  parseJws,
  parsePublicJwk,
  thumbprint,
  toPublicJwk,
  verifyJws,
} from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import type { PublicJwk } from '@tillit/schemas'
import type { Context } from './ports.ts'

const proofType = 'openid4vci-proof+jwt'

/** How old a proof may be, and how far clocks may differ, in seconds. */
const lifeSeconds = 300

export interface ProvenHolder {
  jwk: PublicJwk
  /** Of an organisation or device; people have no DID here but their key. */
  did?: string
  nonce: string
}

/**
 * Verifies a key proof (OpenID4VCI 1.0 appendix F.1): made by the key itself, for this issuer, now. A caller with a DID must
 * prove a key that its document lists for authentication. Throws Problem invalid-proof, invalid-signature, weak-key,
 * invalid-key, unsupported-algorithm, key-not-bound and what resolving throws.
 */
export async function verifyProof(
  proof: string,
  caller: Caller,
  { resolveDid, publicUrl, now }: Pick<Context, 'resolveDid' | 'publicUrl' | 'now'>,
): Promise<ProvenHolder> {
  const { header, payload } = parseProof(proof)
  const key = await withFreshKeys(resolveDid, async (resolveDid) => {
    const key = await keyOf(header, caller, resolveDid)
    verifyJws(proof, key, { typ: proofType })
    return key
  })
  const { aud, iat, nonce } = payload
  if (aud !== publicUrl) throw invalid('The proof is for another issuer', '/aud')
  if (typeof iat !== 'number' || Math.abs(now().getTime() / 1000 - iat) > lifeSeconds) {
    throw invalid('The proof is outside its time', '/iat')
  }
  if (typeof nonce !== 'string') throw new Problem('invalid-nonce', { detail: 'The proof has no nonce' })
  return { jwk: toPublicJwk(key), nonce, ...(caller.kind === 'customer' ? {} : { did: caller.id }) }
}

function parseProof(proof: string): ParsedJws {
  try {
    const jws = parseJws(proof)
    if (jws.header.typ !== proofType) throw invalid(`The proof is not of type ${proofType}`, '/typ')
    return jws
  } catch (cause) {
    if (isProblem(cause, 'invalid-jws')) throw new Problem('invalid-proof', { detail: cause.message, cause })
    throw cause
  }
}

async function keyOf(
  { jwk, kid }: ParsedJws['header'],
  caller: Caller,
  resolveDid: Context['resolveDid'],
): Promise<PublicKey> {
  if ((jwk === undefined) === (kid === undefined)) throw invalid('The proof names its key by jwk or by kid', '/kid')
  if (typeof kid === 'string') return keyOfDidUrl(kid, caller, resolveDid)
  if (jwk === null || typeof jwk !== 'object' || Array.isArray(jwk)) throw invalid('The key is no JWK', '/jwk')
  const key = parsePublicJwk(jwk)
  if (caller.kind === 'customer') return key
  const listed = verificationKeys(await resolveDocument(caller.id, resolveDid), 'authentication')
  if (!listed.some((candidate) => thumbprint(candidate.key) === thumbprint(key))) {
    throw new Problem('key-not-bound', { detail: 'The key is not in the DID document of the caller' })
  }
  return key
}

async function keyOfDidUrl(kid: string, caller: Caller, resolveDid: Context['resolveDid']): Promise<PublicKey> {
  const [did = ''] = kid.split('#')
  if (caller.kind !== 'customer' && did !== caller.id) {
    throw new Problem('key-not-bound', { detail: 'The key is not one of the caller' })
  }
  try {
    return await resolveKey(did, kid, { resolveDid, relationship: 'authentication' })
  } catch (cause) {
    if (!isProblem(cause, 'invalid-credential-signature')) throw cause
    throw new Problem('key-not-bound', { detail: cause.message, cause })
  }
}

function invalid(detail: string, pointer: string): Problem {
  return new Problem('invalid-proof', { detail, pointer })
}
