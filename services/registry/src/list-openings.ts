import { parseJson, toBase64url, toHex } from '@tillit/codec'
import type { Opening, OpeningList } from '@tillit/schemas'
import type { ListedEntry, OpeningReader } from './opening-store.ts'
import type { PublishedLog } from './published-log.ts'

/** A page ends before its entries take more than this; the first one is given whatever it takes. */
const maxPageCharacters = 4 * 1024 * 1024

/** What opens the entries of listed DIDs in the published log, in its order, from index `from` on. */
export async function listOpenings(
  { from, limit }: { from: number; limit: number },
  { openings, published }: { openings: OpeningReader; published: Pick<PublishedLog, 'newest'> },
): Promise<OpeningList> {
  const end = (await published.newest())?.size ?? 0
  const entries = await openings.readListedEntries({ from, end, limit: limit + 1 })
  const page = entries.slice(0, pageLength(entries, limit))
  return {
    openings: page.map((entry) => ({ index: entry.index, ...openingOf(entry) })),
    next_from: entries[page.length]?.index ?? null,
  }
}

function pageLength(entries: readonly ListedEntry[], limit: number): number {
  let characters = 0
  const tooLong = entries.findIndex(({ line }, index) => {
    characters += line.length
    return index === limit || (index > 0 && characters > maxPageCharacters)
  })
  return tooLong < 0 ? entries.length : tooLong
}

function openingOf({ commitment, salt, line }: ListedEntry): Opening {
  const entry = parseJson(line)
  if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) throw new TypeError('an entry is no object')
  return { kind: 'did', entry, salt: toBase64url(salt), commitment: toHex(commitment) }
}
