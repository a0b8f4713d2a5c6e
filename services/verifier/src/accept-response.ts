import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { type PresentedCredential, verifyPresentation } from '@tillit/credential'
import { isFault, isProblem, Problem } from '@tillit/problem'
import type { Presentation } from '@tillit/schemas'
import { openRequest } from './open-request.ts'
import type { Context } from './ports.ts'
import { type ResponseForm, readResponse } from './read-response.ts'
import { withQuery } from './request-links.ts'
import type { PresentationRow, Result } from './tables.ts'

/** OpenID4VP 1.0 section 8.2 recommends 128 bits or more. */
const responseCodeBytes = 32

type Verdict =
  | { outcome: 'proved' | 'declined'; result: Result }
  | { outcome: 'refused'; result: Result; problem: Problem }

/**
 * A wallet answers a request (OpenID4VP 1.0 section 8.2). The first answer that can be read ends the request, whatever it
 * says; a fault of ours leaves it open. Gives where to send the holder. Throws Problem not-found, presentation-closed,
 * invalid-presentation and what else verifying throws.
 */
export async function acceptResponse(
  context: Context,
  requestId: string,
  form: ResponseForm,
): Promise<{ redirect_uri?: string }> {
  const now = context.now()
  const { request: row } = await openRequest(context, requestId, now)
  const response = await readResponse(row, form)
  const verdict =
    'error' in response
      ? declined(response.error, response.errorDescription)
      : await verify(context, row, response.vpToken)
  const responseCode = toBase64url(context.randomBytes(responseCodeBytes))
  // Only what was disclosed needs guarding: a holder who is sent nowhere has no code to bring.
  const guarded = verdict.outcome === 'proved' && row.redirect_uri !== null
  const answered = await context.store.answer(
    row.id,
    {
      outcome: verdict.outcome,
      result: verdict.result,
      responseCodeSha256: guarded ? sha256(utf8(responseCode)) : null,
    },
    context.now(),
  )
  if (!answered) throw new Problem('presentation-closed')
  if (verdict.outcome === 'refused') throw verdict.problem
  if (row.redirect_uri === null) return {}
  return { redirect_uri: withQuery(row.redirect_uri, `response_code=${responseCode}`) }
}

async function verify(context: Context, row: PresentationRow, vpToken: unknown): Promise<Verdict> {
  try {
    const presented = await verifyPresentation(vpToken, {
      ...(await context.verification()),
      query: row.query,
      audience: row.client_id,
      nonce: row.nonce,
      transactionData: row.transaction_data,
    })
    return { outcome: 'proved', result: { credentials: presented.map(toProven) } }
  } catch (error) {
    if (!isProblem(error) || isFault(error)) throw error
    const result = { error: { error: error.code, error_description: error.message } }
    return { outcome: 'refused', result, problem: error }
  }
}

function declined(error: string, description: string | null): Verdict {
  return {
    outcome: 'declined',
    result: { error: { error, ...(description === null ? {} : { error_description: description }) } },
  }
}

/** What is kept: what was asked for. The presentation itself is kept only as the evidence of a transaction. */
function toProven({ query, format, credential, asked, transactions, presentation }: PresentedCredential) {
  const proven: NonNullable<Presentation['credentials']>[number] = {
    query,
    format,
    type: credential.type,
    issuer: credential.issuer,
    issued_at: credential.issuedAt.toISOString(),
    expires_at: credential.expires?.toISOString() ?? null,
    claims: { ...asked },
    transactions: [...transactions],
  }
  return transactions.length === 0 ? proven : { ...proven, presentation }
}
