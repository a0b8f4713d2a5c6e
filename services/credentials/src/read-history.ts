import { Problem } from '@tillit/problem'
import type { AccreditationHistory } from '@tillit/schemas'
import type { Context } from './ports.ts'

/** What happened to an organisation, the oldest first; `seq` counts from 1. Throws Problem not-found. */
export async function readHistory(
  { store }: Pick<Context, 'store'>,
  did: string,
  { after, limit }: { after: number; limit: number },
): Promise<AccreditationHistory> {
  const rows = await store.accreditationEvents(did, { after, limit })
  if (rows.length === 0 && (await store.party(did)) === undefined) {
    throw new Problem('not-found', { detail: 'The trust registry does not know this organisation' })
  }
  return {
    events: rows.map(({ event, actor, at, credential_id, roles, purposes }, i) => ({
      seq: after + i + 1,
      event,
      actor,
      at: at.toISOString(),
      credential: credential_id,
      ...(roles === null ? {} : { roles }),
      ...(purposes === null ? {} : { purposes }),
    })),
    ...(rows.length === limit ? { next: after + limit } : {}),
  }
}
