import { parseJson, toBase64url, toHex } from '@tillit/codec'
import type { Opening, OpeningList } from '@tillit/schemas'
import type { ListedEntry, OpeningReader } from './opening-store.ts'
import type { PublishedLog } from './published-log.ts'

/** What opens the entries of listed DIDs in the published log, in its order, from index `from` on. */
export async function listOpenings(
  { from, limit }: { from: number; limit: number },
  { openings, published }: { openings: OpeningReader; published: PublishedLog },
): Promise<OpeningList> {
  const end = (await published.newest())?.size ?? 0
  const entries = await openings.readListedEntries({ from, end, limit: limit + 1 })
  return {
    openings: entries.slice(0, limit).map((entry) => ({ index: entry.index, ...openingOf(entry) })),
    next_from: entries[limit]?.index ?? null,
  }
}

function openingOf({ commitment, salt, line }: ListedEntry): Opening {
  const entry = parseJson(line)
  if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) throw new TypeError('an entry is no object')
  return { kind: 'did', entry, salt: toBase64url(salt), commitment: toHex(commitment) }
}
