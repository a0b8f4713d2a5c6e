import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { parseJws } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { checkerOf, DelegationClaims, type Scope } from '@tillit/schemas'

/** `typ` of every hop of a delegation chain. */
export const delegationType = 'dlg+jwt'

/** Whether claims have the form of a hop's. */
export const isDelegationClaims = checkerOf(DelegationClaims)

/** The claims with which a customer accepts a scope: the root hop. Signed by the customer's wallet key, whose did:key is `customerDid`. */
export function rootClaims(acceptance: {
  customerDid: string
  partyDid: string
  permissionId: string
  /** Thumbprint (RFC 7638) of the key with which the party may delegate on: `party_key` of the request. */
  partyKey: string
  scope: Scope
  now: Date
  notice?: DelegationClaims['notice']
}): DelegationClaims {
  const { customerDid, partyDid, permissionId, partyKey, scope, now, notice } = acceptance
  return {
    iss: customerDid,
    sub: customerDid,
    aud: partyDid,
    jti: permissionId,
    ...times(scope, now),
    cnf: { jkt: partyKey },
    dep: scope.delegation.max_depth,
    authorization_details: [scope],
    ...(notice === undefined ? {} : { notice }),
  }
}

/**
 * The claims with which a delegatee passes on what it was given. To be signed with the key of the parent's `cnf.jkt`, whose
 * public JWK goes into the header as `jwk`. `scope.delegation.max_depth` becomes `dep` and must be below the parent's.
 */
export function childClaims(delegation: {
  /** The parent exactly as received. */
  parent: string
  audience: string
  audienceKey: string
  id: string
  scope: Scope
  now: Date
}): DelegationClaims {
  const { parent, audience, audienceKey, id, scope, now } = delegation
  const above = parseJws(parent).payload
  if (!isDelegationClaims(above)) throw new Problem('invalid-delegation', { detail: 'The parent is not a delegation' })
  const { iat, nbf, exp } = times(scope, now)
  return {
    iss: above.aud,
    sub: above.sub,
    aud: audience,
    jti: id,
    iat,
    nbf: Math.max(nbf, above.nbf),
    exp: Math.min(exp, above.exp),
    cnf: { jkt: audienceKey },
    prv: statementDigest(parent),
    dep: scope.delegation.max_depth,
    authorization_details: [scope],
  }
}

/** SHA-256 of a compact JWS as it was sent, base64url: what the next hop's `prv` holds. */
export function statementDigest(statement: string): string {
  return toBase64url(sha256(utf8(statement)))
}

function times(scope: Scope, now: Date): { iat: number; nbf: number; exp: number } {
  const seconds = Math.floor(now.getTime() / 1000)
  return { iat: seconds, nbf: seconds, exp: Math.floor(new Date(scope.expires).getTime() / 1000) }
}
