import { type ResolveDid, resolveKey, withFreshKeys } from '@tillit/credential'
import type { Caller } from '@tillit/http'
import { type ParsedJws, type PublicKey, parseJws, parsePublicJwk, thumbprint, verifyJws } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import type { Context } from '../ports.ts'
import { requireKeysOf } from './holder-keys.ts'
import { type AttestedKeys, verifyKeyAttestation } from './key-attestation.ts'

const proofType = 'openid4vci-proof+jwt'

/** How old a proof may be, and how far clocks may differ, in seconds. */
const lifeSeconds = 300

/**
 * Verifies a key proof of type jwt (OpenID4VCI 1.0 appendix F.1): made by the key that it shows, for this issuer, now. With a key
 * attestation in its header it proves all attested keys, of which it must be signed by one. Throws Problem invalid-proof,
 * invalid-signature, weak-key, invalid-key, unsupported-algorithm, key-not-bound and what resolving throws.
 */
export async function verifyJwtProof(
  proof: string,
  caller: Caller,
  { resolveDid, publicUrl, now, openid4vci }: Pick<Context, 'resolveDid' | 'publicUrl' | 'now' | 'openid4vci'>,
): Promise<{ keys: readonly PublicKey[]; nonces: readonly string[] }> {
  const jws = parseProof(proof)
  const attesters = openid4vci.keyAttesters
  const attested = attestedIn(jws.header, (attestation) =>
    verifyKeyAttestation(attestation, { attesters, now: now(), beside: 'proof' }),
  )
  if (attested === null && attesters?.required) throw invalid('A key attestation is needed', '/key_attestation')
  const keys = await withFreshKeys(resolveDid, async (resolveDid) => {
    const key = await keyOf(jws.header, { caller, attested, resolveDid })
    verifyJws(jws, key, { typ: proofType })
    const proven = attested === null ? [key] : attested.keys.map((one) => one.key)
    await requireKeysOf(caller, proven, resolveDid)
    return proven
  })
  const { aud, iat, nonce, iss } = jws.payload
  if (aud !== publicUrl) throw invalid('The proof is for another issuer', '/aud')
  if (iss !== undefined && iss !== caller.clientId) throw invalid('The proof was made by another client', '/iss')
  if (typeof iat !== 'number' || Math.abs(now().getTime() / 1000 - iat) > lifeSeconds) {
    throw invalid('The proof is outside its time', '/iat')
  }
  if (typeof nonce !== 'string') throw invalid('The proof has no nonce', '/nonce')
  return { keys, nonces: attested === null ? [nonce] : [nonce, attested.nonce] }
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

function attestedIn(
  { key_attestation: attestation }: ParsedJws['header'],
  verify: (attestation: string) => AttestedKeys,
): AttestedKeys | null {
  if (attestation === undefined) return null
  if (typeof attestation !== 'string') throw invalid('The key attestation is no text', '/key_attestation')
  return verify(attestation)
}

/** The key that the header names: one of the attested ones when there are such. */
async function keyOf(
  { jwk, kid, x5c }: ParsedJws['header'],
  { caller, attested, resolveDid }: { caller: Caller; attested: AttestedKeys | null; resolveDid: ResolveDid },
): Promise<PublicKey> {
  if (x5c !== undefined || (jwk === undefined) === (kid === undefined))
    throw invalid('The proof names its key by jwk or by kid', '/kid')
  const named = attested?.keys.find((one) => one.kid !== undefined && one.kid === kid)
  if (named !== undefined) return named.key
  const key = typeof kid === 'string' ? await keyOfDidUrl(kid, caller, resolveDid) : keyOfJwk(jwk)
  if (attested !== null && !attested.keys.some((one) => thumbprint(one.key) === thumbprint(key)))
    throw invalid('The proof is not signed by an attested key', '/key_attestation')
  return key
}

function keyOfJwk(jwk: ParsedJws['header'][string] | undefined): PublicKey {
  if (jwk === null || typeof jwk !== 'object' || Array.isArray(jwk)) throw invalid('The key is no JWK', '/jwk')
  return parsePublicJwk(jwk)
}

async function keyOfDidUrl(kid: string, caller: Caller, resolveDid: ResolveDid): Promise<PublicKey> {
  const [did = ''] = kid.split('#')
  if (caller.kind !== 'customer' && did !== caller.id) {
    throw new Problem('key-not-bound', { detail: 'The key is not one of the caller' })
  }
  if (!did.startsWith('did:')) throw invalid('The key has an id that names no key', '/kid')
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
