import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { parsePublicJwk, type Signer, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { CredentialType, PublicJwk } from '@tillit/schemas'
import { checkClaims } from './check-claims.ts'
import { credentialRules, vctOf } from './credential-types.ts'

/** RFC 9901 section 9.3: at least 128 bits for each salt. */
const saltBytes = 16

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
  disclosable?: readonly string[]
}

/**
 * Issues an SD-JWT VC (draft-ietf-oauth-sd-jwt-vc, `dc+sd-jwt`) with all its disclosures. Throws Problem
 * invalid-credential when the claims do not fit the type's schema, weak-key or invalid-key for a bad holder key.
 */
export async function issueSdJwtVc(issuance: Issuance): Promise<string> {
  checkClaims(issuance.type, issuance.claims, { complete: true })
  const holderJwk = toPublicJwk(parsePublicJwk(issuance.holderJwk))
  const present = (issuance.disclosable ?? credentialRules[issuance.type].disclosable).filter((name) =>
    Object.hasOwn(issuance.claims, name),
  )
  if (!Number.isInteger(issuance.status.idx) || issuance.status.idx < 0) {
    throw new Problem('invalid-credential', { detail: 'A status index is a whole number', pointer: '/status' })
  }
  const payload = {
    ...issuance.claims,
    iss: issuance.issuerDid,
    iat: seconds(issuance.issuedAt),
    vct: vctOf(issuance.type),
    cnf: { jwk: holderJwk },
    status: { status_list: { idx: issuance.status.idx, uri: issuance.status.uri } },
    ...(issuance.subjectDid === undefined ? {} : { sub: issuance.subjectDid }),
    ...(issuance.id === undefined ? {} : { jti: issuance.id }),
    ...(issuance.expires === undefined ? {} : { exp: seconds(issuance.expires) }),
  }
  const sdJwt = new SDJwtVcInstance({
    hasher: (data) => sha256(typeof data === 'string' ? utf8(data) : new Uint8Array(data)),
    hashAlg: 'sha-256',
    saltGenerator: () => toBase64url(issuance.randomBytes(saltBytes)),
    signAlg: issuance.signer.alg,
    signer: async (data) => toBase64url(await issuance.signer.sign(utf8(data))),
  })
  return sdJwt.issue(payload, { _sd: present as (keyof typeof payload)[] }, { header: { kid: issuance.keyId } })
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
