import { parsePublicJwk, type Signer, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { CredentialType, PublicJwk } from '@tillit/schemas'
import { checkClaims } from './check-claims.ts'
import type { ClaimPath } from './conceal-claims.ts'
import { credentialRules, vctOf } from './credential-types.ts'
import { issueSdJwt } from './issue-sd-jwt.ts'

export interface Issuance {
  type: CredentialType
  issuerDid: string
  /** DID URL of the issuer's assertion key; stands in the header as `kid`. */
  keyId: string
  signer: Signer
  /** `sub`: the DID of an organisation, device or wallet. Left out for holders who have none. */
  subjectDid?: string
  /** The key that may present the credential (`cnf.jwk`, RFC 7800). */
  holderJwk: PublicJwk
  claims: Record<string, unknown>
  /** Where the status stands: index and address of an IETF Token Status List. */
  status: { idx: number; uri: string }
  /** `jti`, the name under which the issuer may revoke it. */
  id?: string
  issuedAt: Date
  expires?: Date
  randomBytes: (length: number) => Uint8Array
  /** Overrides which claims are selectively disclosable; by default those of the type's rule. */
  disclosable?: readonly ClaimPath[]
}

/**
 * Issues an SD-JWT VC (draft-ietf-oauth-sd-jwt-vc, `dc+sd-jwt`) with all its disclosures. It has as many digests as its type
 * has disclosable claims: decoys take the places of those that it lacks. Throws Problem invalid-credential when the claims
 * do not fit the type's schema, weak-key or invalid-key for a bad holder key.
 */
export async function issueSdJwtVc(issuance: Issuance): Promise<string> {
  const typed = checkClaims(issuance.type, issuance.claims, { complete: true })
  if (!Number.isInteger(issuance.status.idx) || issuance.status.idx < 0) {
    throw new Problem('invalid-credential', { detail: 'A status index is a whole number', pointer: '/status' })
  }
  const claims = {
    ...typed,
    iss: issuance.issuerDid,
    iat: seconds(issuance.issuedAt),
    vct: vctOf(issuance.type),
    cnf: { jwk: toPublicJwk(parsePublicJwk(issuance.holderJwk)) },
    status: { status_list: { idx: issuance.status.idx, uri: issuance.status.uri } },
    ...(issuance.subjectDid === undefined ? {} : { sub: issuance.subjectDid }),
    ...(issuance.id === undefined ? {} : { jti: issuance.id }),
    ...(issuance.expires === undefined ? {} : { exp: seconds(issuance.expires) }),
  }
  const disclosable = issuance.disclosable ?? pathsOf(issuance.type)
  const absent = disclosable.filter(([name]) => typeof name === 'string' && !Object.hasOwn(claims, name))
  return issueSdJwt({
    header: { typ: 'dc+sd-jwt', kid: issuance.keyId },
    claims,
    signer: issuance.signer,
    disclosable,
    decoys: absent.length,
    randomBytes: issuance.randomBytes,
  })
}

const paths = new Map<CredentialType, readonly ClaimPath[]>()

function pathsOf(type: CredentialType): readonly ClaimPath[] {
  const known = paths.get(type) ?? credentialRules[type].disclosable.map((name) => [name])
  paths.set(type, known)
  return known
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
