import { equalBytes, sha256, utf8 } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { Presentation } from '@tillit/schemas'
import type { Context } from './ports.ts'
import { requestLinks } from './request-links.ts'
import type { PresentationRow } from './tables.ts'

/**
 * What became of a presentation, for the organisation that asked. On the same device, the result is given only for the
 * response code that the wallet brought back: else somebody could have another person answer (OpenID4VP 1.0 section 14.2).
 * Throws Problem not-found, response-code-mismatch.
 */
export async function readPresentation(
  context: Context,
  askedBy: string,
  { id, responseCode }: { id: string; responseCode: string | null },
): Promise<Presentation> {
  const now = context.now()
  const row = await context.store.find(id, askedBy, now)
  if (!row) throw new Problem('not-found', { detail: 'No such presentation, or it was deleted' })
  return viewPresentation(context, row, { now, responseCode })
}

export function viewPresentation(
  { publicUrl }: Pick<Context, 'publicUrl'>,
  row: PresentationRow,
  { now, responseCode }: { now: Date; responseCode: string | null },
): Presentation {
  const common = {
    id: row.id,
    purpose: row.purpose,
    flow: row.flow,
    client_id: row.client_id,
    expires_at: row.expires_at.toISOString(),
    delete_at: row.delete_at.toISOString(),
  }
  if (row.outcome !== null) {
    requireResponseCode(row, responseCode)
    return { ...common, state: row.outcome, ...row.result }
  }
  if (row.expires_at <= now) return { ...common, state: 'expired' }
  const state = row.fetched_at === null ? 'requested' : 'fetched'
  return { ...common, state, request: requestLinks(publicUrl, row) }
}

function requireResponseCode({ response_code_sha256: expected }: PresentationRow, responseCode: string | null): void {
  if (expected === null) return
  if (responseCode === null || !equalBytes(sha256(utf8(responseCode)), expected)) {
    throw new Problem('response-code-mismatch')
  }
}
