import { formatDidLog, parseDidLog, type WitnessProofs } from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidAccepted, DidLogAccepted, DidLogEntry } from '@tillit/schemas'
import { type City, CityError } from './city.ts'

export interface RegisterDidOptions {
  readonly listed: boolean
  /** The DID under which the city has the log, where it is not that of the last entry: the DID has moved away from there. */
  readonly did?: string
  /** The did-witness.json of a DID that moves to the city. */
  readonly witnessProofs?: readonly WitnessProofs[]
}

/**
 * Sends a did:webvh's log to the city that hosts it: registers it when the city does not have it, whole where the DID moved
 * there, and appends the entries that the city does not have. Sending the same log again sends nothing and is no error.
 * Gives what became of each entry sent. Throws Problem did-conflict when the city has another log, CityError when it refuses
 * an entry.
 */
export async function registerDid(
  city: City,
  entries: readonly DidLogEntry[],
  options: RegisterDidOptions,
): Promise<DidAccepted[]> {
  const [genesis, last] = [entries[0], entries.at(-1)]
  if (genesis === undefined || last === undefined) throw new Problem('invalid-did-log', { detail: 'The log is empty' })
  const did = options.did ?? didOf(last)
  const { listed } = options
  const held = await heldEntries(city, did, entries)
  if (held === 0 && didOf(genesis) !== did) return registerMoved(city, entries, options)
  const accepted: DidAccepted[] = []
  for (const [index, entry] of entries.entries()) {
    if (index < held) continue
    accepted.push(
      index === 0
        ? await city.post<DidAccepted>('/dids', { entry, listed })
        : await city.post<DidAccepted>(`/dids/${encodeURIComponent(did)}/entries`, entry),
    )
  }
  return accepted
}

async function registerMoved(
  city: City,
  log: readonly DidLogEntry[],
  { listed, witnessProofs }: RegisterDidOptions,
): Promise<DidAccepted[]> {
  const proofs = witnessProofs === undefined ? {} : { witness_proofs: witnessProofs }
  return (await city.post<DidLogAccepted>('/dids/log', { log, listed, ...proofs })).accepted
}

/** How many of the entries the city publishes already. */
async function heldEntries(city: City, did: string, entries: readonly DidLogEntry[]): Promise<number> {
  const slug = did.split(':').at(-1) ?? ''
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
