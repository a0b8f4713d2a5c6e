import { Problem } from '@tillit/problem'
import type { CredentialQuery, DcqlQuery } from '@tillit/schemas'
import type { AuthenticClaims } from './authentic-credential.ts'
import type { CredentialVerificationOptions } from './verify-credential.ts'
import { type AskedClaims, type Claims, checkDcqlQuery, satisfies } from './verify-presentation-query.ts'
import { verifySdJwtPresentation } from './verify-presentation-sd-jwt.ts'
import { parseTransactions, requireEverySigned } from './verify-presentation-transactions.ts'
import { verifyVpJwt } from './verify-presentation-vp-jwt.ts'

/** Most presentations in one response. */
const maxPresentations = 16

export interface PresentationVerification extends Omit<CredentialVerificationOptions, 'keyBinding'> {
  /** What was asked for. */
  query: DcqlQuery
  /** The client identifier of the verifier, with its prefix: whom the holder has to name as `aud`. */
  audience: string
  /** That of the request. */
  nonce: string
  /** The entries of the request's `transaction_data`, as they were sent. */
  transactionData?: readonly string[]
}

/** One credential that was presented as asked. */
export interface PresentedCredential {
  /** The id of the credential query that it answers, and its format as queries name it. */
  query: string
  format: CredentialQuery['format']
  credential: AuthenticClaims & { status: 'valid' }
  /** The claims that were asked for, and no others. */
  asked: AskedClaims
  /** Which entries of `transaction_data` the holder signed with it, by index. */
  transactions: readonly number[]
  /** As it was sent: the evidence. */
  presentation: string
}

/**
 * Verifies a VP Token as OpenID4VP 1.0 section 8.6 says, and fails as a whole when any part of it does: its form, each
 * credential with its status and its issuer's trust, the holder's proof for this verifier and this request, that everything
 * asked for is there and nothing else, and that every transaction was signed. Throws Problem invalid-presentation, the
 * Problems of verifyCredential and authenticatePresentation, and invalid-request for a query that cannot be answered.
 */
export async function verifyPresentation(
  vpToken: unknown,
  options: PresentationVerification,
): Promise<PresentedCredential[]> {
  checkDcqlQuery(options.query)
  const transactions = parseTransactions(options.transactionData ?? [])
  const presented: (PresentedCredential & { claims: Claims })[] = []
  for (const { id, format, presentation } of presentationsIn(vpToken, options.query)) {
    const verified =
      format === 'dc+sd-jwt'
        ? await verifySdJwtPresentation(presentation, id, { ...options, transactions })
        : await verifyVpJwt(presentation, id, options)
    presented.push({ ...verified, query: id, format, presentation })
  }
  if (!satisfies(options.query, claimsByQuery(presented))) throw mismatch('Not all that was asked for was presented')
  requireEverySigned(
    transactions,
    presented.flatMap((one) => one.transactions),
  )
  return presented.map(({ claims: _, ...one }) => one)
}

/** Section 8.1: an object from the ids of credential queries to lists of presentations. */
function presentationsIn(
  vpToken: unknown,
  { credentials }: DcqlQuery,
): (Pick<CredentialQuery, 'id' | 'format'> & { presentation: string })[] {
  if (vpToken === null || typeof vpToken !== 'object' || Array.isArray(vpToken)) {
    throw mismatch('The vp_token is not an object')
  }
  const answers = Object.entries(vpToken).flatMap(([id, presentations]) => {
    const query = credentials.find((candidate) => candidate.id === id)
    if (!query) throw mismatch('The vp_token answers a query that was not asked')
    const { format } = query
    return presentationsFor(query, presentations).map((presentation) => ({ id, format, presentation }))
  })
  if (answers.length > maxPresentations) throw mismatch('The vp_token holds too many presentations')
  return answers
}

function presentationsFor({ id, multiple = false }: CredentialQuery, presentations: unknown): string[] {
  if (!Array.isArray(presentations) || presentations.length === 0) {
    throw mismatch('The presentations of a query are not a list', id)
  }
  if (presentations.length > 1 && !multiple) throw mismatch('One presentation was asked for, not several', id)
  return presentations.map((presentation) => {
    if (typeof presentation !== 'string') throw mismatch('A presentation in this format is text', id)
    return presentation
  })
}

function claimsByQuery(presented: readonly { query: string; claims: Claims }[]): { [query: string]: Claims[] } {
  const byQuery: { [query: string]: Claims[] } = {}
  for (const { query, claims } of presented) byQuery[query] = [...(byQuery[query] ?? []), claims]
  return byQuery
}

function mismatch(detail: string, query?: string): Problem {
  return new Problem('invalid-presentation', { detail, ...(query === undefined ? {} : { pointer: `/${query}` }) })
}
