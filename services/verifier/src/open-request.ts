import { Problem } from '@tillit/problem'
import type { Party } from '@tillit/schemas'
import type { Context } from './ports.ts'
import type { PresentationRow } from './tables.ts'

export interface OpenRequest {
  request: PresentationRow
  asker: Party
}

/**
 * The request that a wallet names, while it may be answered: in its time, not answered yet, by an organisation that may still
 * ask. Throws Problem not-found, presentation-closed.
 */
export async function openRequest(context: Context, requestId: string, now: Date): Promise<OpenRequest> {
  const request = await context.store.findRequest(requestId, now)
  if (!request) throw new Problem('not-found', { detail: 'No such request' })
  if (request.answered_at !== null || request.expires_at <= now) throw new Problem('presentation-closed')
  const asker = await context.readParty(request.asked_by)
  if (asker.status !== 'ACTIVE') {
    throw new Problem('presentation-closed', { detail: 'The organisation that asked may not ask now' })
  }
  return { request, asker }
}
