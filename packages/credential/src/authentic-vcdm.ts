import type { PublicKey } from '@tillit/keys'
import { parsePublicJwk, thumbprint, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { CredentialType, PublicJwk } from '@tillit/schemas'
import type { AuthenticClaims, CredentialFormat, StatusReference } from './authentic-credential.ts'
import { checkClaims } from './check-claims.ts'
import { isCredentialType } from './credential-types.ts'
import type { ResolveDid } from './resolve-key.ts'
import type { VcdmCredential, VcdmOptions } from './validate-vcdm2.ts'
import { type JsonObject, malformed, urlAt } from './vcdm-members.ts'

/** How far clocks of issuer and verifier may differ. An end gets no grace. */
const skewMilliseconds = 60_000

/** Most statuses of one credential: ours have two, and each is looked up. */
const maxStatuses = 16

export interface VcdmAuthenticationOptions extends VcdmOptions {
  resolveDid: ResolveDid
  now: Date
}

/** A credential of the data model 2.0, of any type, that its issuer really signed and that is in its time. */
export interface AuthenticVcdm extends VcdmCredential {
  format: Exclude<CredentialFormat, 'dc+sd-jwt'>
  /** DID URL of the key that signed. */
  keyId: string
  issuerKey: PublicKey
  statusReferences: readonly StatusReference[]
}

/** Throws Problem credential-expired. */
export function requireInTime({ validFrom, validUntil }: VcdmCredential, now: Date): void {
  if (validFrom !== null && validFrom.getTime() > now.getTime() + skewMilliseconds)
    throw new Problem('credential-expired', { detail: 'The credential is not valid yet' })
  if (validUntil !== null && validUntil <= now) throw new Problem('credential-expired')
}

/**
 * Where the status of a credential stands (Bitstring Status List v1.0 section 2.1). Throws Problem status-unknown for a status
 * method that is not known here, invalid-credential for an entry that is not well formed.
 */
export function statusReferencesOf(statuses: readonly JsonObject[]): StatusReference[] {
  if (statuses.length > maxStatuses) throw malformed('The credential has too many statuses', '/credentialStatus')
  return statuses.map((status, index) => {
    const pointer = `/credentialStatus/${index}`
    if (status.type !== 'BitstringStatusListEntry')
      throw new Problem('status-unknown', { detail: 'The status method of the credential is not known here', pointer })
    // Purposes other than these say something that does not end the credential, which nothing here would understand.
    if (status.statusPurpose !== 'revocation' && status.statusPurpose !== 'suspension')
      throw new Problem('status-unknown', { detail: 'The purpose of the status is not known here', pointer })
    const { statusListIndex: index_ } = status
    if (typeof index_ !== 'string' || !/^(?:0|[1-9][0-9]{0,9})$/.test(index_))
      throw malformed('Not an index into a status list', `${pointer}/statusListIndex`)
    return { idx: Number(index_), uri: urlAt(status.statusListCredential, `${pointer}/statusListCredential`) }
  })
}

/**
 * What a credential of ours says, in the same form as in the other formats. Throws Problem unknown-credential-type when it is
 * not of exactly one of our types, invalid-credential when it has no time of issue, several subjects or other claims.
 */
export function authenticClaims(credential: AuthenticVcdm): AuthenticClaims {
  const { document, types, subjects, validFrom, validUntil, issuer, issuerKey, format, statusReferences } = credential
  const [type, ...others] = types.filter((name) => name !== 'VerifiableCredential')
  if (type === undefined || others.length > 0 || !isCredentialType(type))
    throw new Problem('unknown-credential-type', { pointer: '/type' })
  const claims = vcdmClaims(credential, type)
  const id = subjects[0]?.id
  if (validFrom === null) throw malformed('The time of issue is missing', '/validFrom')
  return {
    format,
    type,
    issuer,
    issuerJkt: thumbprint(issuerKey),
    subject: id === undefined ? null : urlAt(id, '/credentialSubject/id'),
    id: document.id === undefined ? null : urlAt(document.id, '/id'),
    claims,
    holderJwk: holderJwkOf(document),
    issuedAt: validFrom,
    expires: validUntil,
    statusReferences,
  }
}

/** The claims of a type, about its one subject. Throws Problem invalid-credential. */
export function vcdmClaims({ subjects }: VcdmCredential, type: CredentialType): { readonly [name: string]: unknown } {
  const [subject, ...further] = subjects
  if (subject === undefined || further.length > 0) throw malformed('It has several subjects', '/credentialSubject')
  const { id: _, ...claims } = subject
  return checkClaims(type, claims, { complete: true })
}

/** `cnf.jwk` (RFC 7800), which VC-JOSE-COSE section 3.1.3 lets stand beside the members of the data model. */
function holderJwkOf({ cnf }: JsonObject): PublicJwk | null {
  if (cnf === undefined) return null
  const jwk = cnf !== null && typeof cnf === 'object' && 'jwk' in cnf ? cnf.jwk : undefined
  if (jwk === null || typeof jwk !== 'object') throw malformed('The key of the holder is missing', '/cnf')
  return toPublicJwk(parsePublicJwk({ ...jwk }))
}
