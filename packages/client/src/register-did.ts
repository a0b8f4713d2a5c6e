import { formatDidLog, parseDidLog } from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidAccepted, DidLogEntry } from '@tillit/schemas'
import { type City, CityError } from './city.ts'

/**
 * Sends a did:webvh's log to the city that hosts it: registers it when the city does not have it, and appends the entries
 * that the city does not have. Sending the same log again sends nothing and is no error. Gives what became of each entry
 * sent. Throws Problem did-conflict when the city has another log, CityError when it refuses an entry.
 */
export async function registerDid(
  city: City,
  entries: readonly DidLogEntry[],
  options: { listed: boolean },
): Promise<DidAccepted[]> {
  const accepted: DidAccepted[] = []
  const [genesis] = entries
  if (genesis === undefined) throw new Problem('invalid-did-log', { detail: 'The log is empty' })
  const held = await heldEntries(city, genesis, entries)
  for (const [index, entry] of entries.entries()) {
    if (index < held) continue
    accepted.push(
      index === 0
        ? await city.post<DidAccepted>('/dids', { entry, listed: options.listed })
        : await city.post<DidAccepted>(`/dids/${encodeURIComponent(didOf(genesis))}/entries`, entry),
    )
  }
  return accepted
}

/** How many of the entries the city publishes already. */
async function heldEntries(city: City, genesis: DidLogEntry, entries: readonly DidLogEntry[]): Promise<number> {
  const slug = didOf(genesis).split(':').at(-1) ?? ''
  let held: DidLogEntry[]
  try {
    held = parseDidLog(await city.text('GET', `/dids/${slug}/did.jsonl`, { accept: 'text/jsonl' }))
  } catch (error) {
    if (error instanceof CityError && error.status === 404) return 0
    throw error
  }
  const known = formatDidLog(entries.slice(0, held.length))
  if (held.length > entries.length || formatDidLog(held) !== known)
    throw new Problem('did-conflict', { detail: 'The city has another log of this DID, or a longer one' })
  return held.length
}

function didOf({ state }: DidLogEntry): string {
  return String(state.id)
}
