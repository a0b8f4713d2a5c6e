import { parseJws, type Signer, signJws, verifyJws } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import type { ReadStatus } from './credential-status.ts'
import { type ResolveDid, resolveKey, withFreshKeys } from './resolve-key.ts'
import { refuseUnlessRecent } from './status-freshness.ts'
import { decodeStatusList, type EncodedStatusList, type Inflate, type StatusList, statusAt } from './status-list.ts'

const tokenType = 'statuslist+jwt'

export interface StatusListIssuance {
  /** The address of the list: what credentials refer to. */
  uri: string
  issuerDid: string
  keyId: string
  signer: Signer
  list: EncodedStatusList
  issuedAt: Date
  expires: Date
  /** How long a verifier may use its copy, in seconds. */
  ttlSeconds: number
  /** Where the addresses of all lists stand (section 9). */
  aggregationUri?: string
}

/** Signs a Status List Token (IETF Token Status List, section 5.1; `statuslist+jwt`). */
export function signStatusList(issuance: StatusListIssuance): Promise<string> {
  const { uri, issuerDid, keyId, signer, list, issuedAt, expires, ttlSeconds, aggregationUri } = issuance
  const payload = {
    iss: issuerDid,
    sub: uri,
    iat: Math.floor(issuedAt.getTime() / 1000),
    exp: Math.floor(expires.getTime() / 1000),
    ttl: ttlSeconds,
    status_list: {
      bits: list.bits,
      lst: list.lst,
      ...(aggregationUri === undefined ? {} : { aggregation_uri: aggregationUri }),
    },
  }
  return signJws({ typ: tokenType, kid: keyId }, payload, signer)
}

export interface StatusListVerification {
  /** The address in the credential; must be the token's `sub`. */
  uri: string
  /** Whose lists are accepted. The token is verified under the key of its own issuer, never under the credential's. */
  issuerDids: readonly string[]
  resolveDid: ResolveDid
  now: Date
  inflate: Inflate
  /** Oldest list accepted, in seconds since its `iat`. */
  maxAgeSeconds?: number
}

/**
 * Verifies a Status List Token and gives its list. Throws Problem invalid-status-list, untrusted-issuer,
 * invalid-signature, status-unknown (outside its time) and what resolving the key throws.
 */
export async function verifyStatusList(
  token: string,
  { uri, issuerDids, resolveDid, now, inflate, maxAgeSeconds }: StatusListVerification,
): Promise<StatusList & { ttlSeconds: number | null; asOf: Date }> {
  const { header, payload } = parseToken(token)
  const { iss, sub, iat, exp, ttl = null } = payload
  if (typeof iss !== 'string' || !issuerDids.includes(iss)) {
    throw new Problem('untrusted-issuer', { detail: 'The status list is from another issuer' })
  }
  await withFreshKeys(resolveDid, async (resolveDid) => {
    const key = await resolveKey(iss, header.kid, { resolveDid, relationship: 'assertionMethod' })
    verifyJws(token, key, { typ: tokenType })
  })
  if (sub !== uri) throw malformed('The status list is for another address')
  if (typeof iat !== 'number' || typeof exp !== 'number') throw malformed('The status list has no times')
  if (ttl !== null && (typeof ttl !== 'number' || ttl <= 0)) throw malformed('The ttl is not a number of seconds')
  const asOf = new Date(iat * 1000)
  refuseUnlessRecent({ issuedAt: asOf, expires: new Date(exp * 1000) }, { now, maxAgeSeconds })
  return { ...decodeStatusList(payload.status_list, inflate), ttlSeconds: ttl, asOf }
}

/** A ReadStatus that fetches a list for each question; put a cache no longer than `ttl` in front of `fetchToken`. */
export function statusReader(
  options: Omit<StatusListVerification, 'uri' | 'now'> & {
    fetchToken: (uri: string) => Promise<string>
    now: () => Date
  },
): ReadStatus {
  return async (uri, idx) => {
    const token = await options.fetchToken(uri)
    return statusAt(await verifyStatusList(token, { ...options, uri, now: options.now() }), idx)
  }
}

function parseToken(token: string) {
  try {
    return parseJws(token)
  } catch (cause) {
    if (isProblem(cause, 'invalid-jws')) throw malformed(cause.message, cause)
    throw cause
  }
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-status-list', { detail, ...(cause === undefined ? {} : { cause }) })
}
