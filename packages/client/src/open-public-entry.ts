import { Problem } from '@tillit/problem'
import type { Opening, OpeningList } from '@tillit/schemas'
import type { City } from './city.ts'

/** Openings of one page, each with an entry of up to 64 kB. */
const perPage = 64

/** A public entry of the log: by its commitment (hexadecimal), by its index, or the newest of a DID. */
export type PublicEntry = { readonly commitment: string } | { readonly index: number } | { readonly did: string }

/**
 * Asks a city for what opens a public entry of its log: one of a listed DID. For a DID the log is read from its beginning.
 * Throws Problem log-entry-not-found for an entry that is not there or not public. The city's word: verifyReceipt judges it.
 */
export async function openPublicEntry(city: City, which: PublicEntry): Promise<Opening> {
  if ('commitment' in which) return city.get<Opening>(`/log/openings/${which.commitment}`)
  if ('did' in which) return newestOf(city, which.did)
  const { openings } = await city.get<OpeningList>('/log/openings', { query: { from: which.index, limit: 1 } })
  const [found] = openings
  if (found?.index !== which.index) throw notPublic(`Entry ${which.index} is not public, or not in the log yet`)
  return openingOf(found)
}

async function newestOf(city: City, did: string): Promise<Opening> {
  let newest: Opening | null = null
  for (let from: number | null = 0; from !== null; ) {
    const page: OpeningList = await city.get<OpeningList>('/log/openings', { query: { from, limit: perPage } })
    newest = openingOfDid(page, did) ?? newest
    // A page that does not go forward would never end.
    from = page.next_from !== null && page.next_from > from ? page.next_from : null
  }
  if (newest === null) throw notPublic(`The log holds no public entry of ${did}`)
  return newest
}

function openingOfDid({ openings }: OpeningList, did: string): Opening | null {
  const found = openings.findLast(({ entry: { state } }) => isObject(state) && state.id === did)
  return found === undefined ? null : openingOf(found)
}

function openingOf({ kind, entry, salt, commitment }: Opening): Opening {
  return { kind, entry, salt, commitment }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function notPublic(detail: string): Problem {
  return new Problem('log-entry-not-found', { detail })
}
