import type { Json } from '@tillit/codec'
import { type ParsedJws, parseJws, type Signer, signJws, verifyJws } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import {
  bitstringValueAt,
  decodeBitstring,
  type Gunzip,
  type StatusPurpose,
  statusPurposes,
} from './bitstring-status-list.ts'
import type { ReadStatus } from './credential-status.ts'
import { type ResolveDid, resolveKey, withFreshKeys } from './resolve-key.ts'
import { refuseUnlessRecent } from './status-freshness.ts'

const credentialsContext = 'https://www.w3.org/ns/credentials/v2'

export interface BitstringIssuance {
  /** The address of the list: what `statusListCredential` of credentials refers to. */
  uri: string
  purpose: StatusPurpose
  issuerDid: string
  keyId: string
  signer: Signer
  /** As encodeBitstring gives it. */
  encodedList: string
  issuedAt: Date
  expires: Date
  /** How long a verifier may use its copy, in seconds. */
  ttlSeconds: number
}

/** Signs a BitstringStatusListCredential (Bitstring Status List v1.0 section 2.2) as `vc+jwt` (VC-JOSE-COSE section 3.1.1). */
export function signBitstringStatusList(issuance: BitstringIssuance): Promise<string> {
  const { uri, purpose, issuerDid, keyId, signer, encodedList, issuedAt, expires, ttlSeconds } = issuance
  const credential = {
    '@context': [credentialsContext],
    id: uri,
    type: ['VerifiableCredential', 'BitstringStatusListCredential'],
    issuer: issuerDid,
    validFrom: issuedAt.toISOString(),
    validUntil: expires.toISOString(),
    credentialSubject: {
      id: `${uri}#list`,
      type: 'BitstringStatusList',
      statusPurpose: purpose,
      encodedList,
      // Milliseconds, unlike the ttl of a Status List Token.
      ttl: ttlSeconds * 1000,
    },
  }
  return signJws({ typ: 'vc+jwt', cty: 'vc', kid: keyId }, credential, signer)
}

export interface BitstringVerification {
  /** The address in the credential's entry; must be the list's `id`. */
  uri: string
  /** Whose lists are accepted. The list is verified under the key of its own issuer, never under the credential's. */
  issuerDids: readonly string[]
  resolveDid: ResolveDid
  now: Date
  gunzip: Gunzip
  /** Oldest list accepted, in seconds since its `validFrom`. */
  maxAgeSeconds?: number
}

export interface VerifiedBitstring {
  purpose: StatusPurpose
  bitstring: Uint8Array
  /** When the issuer said so. */
  asOf: Date
}

/**
 * Verifies a BitstringStatusListCredential in `vc+jwt` form (section 3.2). Throws Problem invalid-status-list, untrusted-issuer,
 * invalid-signature, status-unknown (outside its time) and what resolving the key throws.
 */
export async function verifyBitstringStatusList(
  jwt: string,
  { uri, issuerDids, resolveDid, now, gunzip, maxAgeSeconds }: BitstringVerification,
): Promise<VerifiedBitstring> {
  const { header, payload } = parseCredential(jwt)
  const issuer = payload.issuer
  if (typeof issuer !== 'string' || !issuerDids.includes(issuer)) {
    throw new Problem('untrusted-issuer', { detail: 'The status list is from another issuer' })
  }
  await withFreshKeys(resolveDid, async (resolveDid) => {
    const key = await resolveKey(issuer, header.kid, { resolveDid, relationship: 'assertionMethod' })
    verifyJws(jwt, key, { typ: 'vc+jwt' })
  })
  const { id, type, validFrom, validUntil, credentialSubject } = payload
  if (id !== uri) throw malformed('The status list is for another address')
  if (!Array.isArray(type) || !type.includes('BitstringStatusListCredential')) {
    throw malformed('The credential is not a BitstringStatusListCredential')
  }
  const asOf = instant(validFrom)
  refuseUnlessRecent({ issuedAt: asOf, expires: instant(validUntil) }, { now, maxAgeSeconds })
  const subject = objectIn(credentialSubject)
  if (subject.type !== 'BitstringStatusList') throw malformed('The subject is not a BitstringStatusList')
  const purpose = statusPurposes.find((known) => known === subject.statusPurpose)
  if (purpose === undefined) throw malformed('The purpose of the status list is not known here')
  return { purpose, bitstring: decodeBitstring(subject.encodedList, gunzip), asOf }
}

/** A ReadStatus that fetches a list for each question: what an entry means is said by the purpose of its list. */
export function bitstringStatusReader(
  options: Omit<BitstringVerification, 'uri' | 'now'> & {
    fetchCredential: (uri: string) => Promise<string>
    now: () => Date
  },
): ReadStatus {
  return async (uri, idx) => {
    const jwt = await options.fetchCredential(uri)
    const { purpose, bitstring } = await verifyBitstringStatusList(jwt, { ...options, uri, now: options.now() })
    if (bitstringValueAt(bitstring, idx) === 0) return 'valid'
    return purpose === 'revocation' ? 'revoked' : 'suspended'
  }
}

function parseCredential(jwt: string): ParsedJws {
  try {
    return parseJws(jwt)
  } catch (cause) {
    if (isProblem(cause, 'invalid-jws')) throw malformed(cause.message, cause)
    throw cause
  }
}

function objectIn(value: Json | undefined): { readonly [name: string]: Json } {
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw malformed('The status list has no subject')
  }
  return value
}

function instant(value: Json | undefined): Date {
  const time = new Date(typeof value === 'string' ? value : Number.NaN)
  if (Number.isNaN(time.getTime())) throw malformed('The status list has no times')
  return time
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-status-list', { detail, ...(cause === undefined ? {} : { cause }) })
}
