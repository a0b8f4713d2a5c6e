import { canonicalJson, type Json } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import { type ParsedSdJwt, parseSdJwt } from './parse-sd-jwt.ts'
import type { PresentationVerification } from './verify-presentation.ts'
import { type AskedClaims, askedClaims, type Claims } from './verify-presentation-query.ts'
import { signedTransactions, type Transaction } from './verify-presentation-transactions.ts'
import { type VerifiedCredential, verifySdJwtVc } from './verify-sd-jwt-vc.ts'

/** How far the holder's clock may be ahead, in seconds. */
const skewSeconds = 60

/** A presentation that is one of a credential query, whatever its format. */
export interface VerifiedPresentation<Credential> {
  credential: Credential
  /** What the credential shows, as a query sees it. */
  claims: Claims
  asked: AskedClaims
  transactions: number[]
}

/**
 * Verifies an SD-JWT VC with its key binding (OpenID4VP 1.0 appendix B.3): credential, status, trust, the holder's proof, the claims
 * that were asked for and no others, and what transactions the holder signed. Throws Problem invalid-presentation and the Problems
 * of verifySdJwtVc.
 */
export async function verifySdJwtPresentation(
  presentation: string,
  queryId: string,
  { transactions, ...options }: PresentationVerification & { transactions: readonly Transaction[] },
): Promise<VerifiedPresentation<VerifiedCredential>> {
  const { resolveDid, now, status, trust, audience, nonce } = options
  const { claims, keyBinding } = parseSdJwt(presentation)
  const credential = await verifySdJwtVc(presentation, {
    resolveDid,
    now,
    status,
    trust,
    keyBinding: { audience, nonce },
  })
  if (!keyBinding) throw mismatch('The holder does not prove to be one', queryId)
  requireFresh(keyBinding.payload, now)
  const asked = askedClaims(options.query, queryId, claims)
  if (asked === null)
    throw mismatch('A credential is not of the type, or lacks the claims, that were asked for', queryId)
  requireNothingMore(presentation, { asked, without: (shown) => askedClaims(options.query, queryId, shown), queryId })
  return { credential, claims, asked, transactions: signedTransactions(transactions, queryId, keyBinding.payload) }
}

/** That it is not too old was verified with its signature; one from the future would be of use later. */
function requireFresh({ iat }: { readonly [claim: string]: Json }, now: Date): void {
  if (typeof iat !== 'number' || iat > now.getTime() / 1000 + skewSeconds) {
    throw new Problem('statement-expired', { detail: 'The key binding is from the future' })
  }
}

/** Section 6.4.1: what was not asked for must not be sent. One too many is a disclosure without which the answer is the same. */
function requireNothingMore(
  presentation: string,
  { asked, without, queryId }: { asked: AskedClaims; without: (claims: Claims) => AskedClaims | null; queryId: string },
): void {
  const [jwt = '', ...disclosures] = presentation.slice(0, presentation.lastIndexOf('~')).split('~')
  const answer = canonicalJson(asked)
  for (const extra of disclosures) {
    const others = disclosures.filter((disclosure) => disclosure !== extra)
    const shown = claimsOf(`${[jwt, ...others].join('~')}~`)
    const remaining = shown === null ? null : without(shown)
    if (remaining !== null && canonicalJson(remaining) === answer) {
      throw mismatch('A claim was disclosed that was not asked for', queryId)
    }
  }
}

/** Null when a disclosure holds another one that would belong nowhere. */
function claimsOf(credential: string): ParsedSdJwt['claims'] | null {
  try {
    return parseSdJwt(credential).claims
  } catch (error) {
    if (isProblem(error, 'invalid-credential')) return null
    throw error
  }
}

function mismatch(detail: string, queryId: string): Problem {
  return new Problem('invalid-presentation', { detail, pointer: `/${queryId}` })
}
