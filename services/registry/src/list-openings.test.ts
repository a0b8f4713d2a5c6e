import { expect, test } from 'vitest'
import { listOpenings } from './list-openings.ts'
import type { ListedEntry } from './opening-store.ts'

/** A log of `count` listed entries, each of `characters`. */
function logOf(count: number, characters: number) {
  const line = JSON.stringify({ padding: 'x'.repeat(characters) })
  const bytes = new Uint8Array(32)
  const entries = Array.from({ length: count }, (_, index): ListedEntry => {
    return { index: index * 2, commitment: bytes, salt: bytes.subarray(16), line }
  })
  const head = { size: count * 2, root: bytes, note: '', signedAt: new Date(0), publishedAt: new Date(0) }
  return {
    openings: {
      readListedEntries: async ({ from, end, limit }: { from: number; end: number; limit: number }) =>
        entries.filter(({ index }) => index >= from && index < end).slice(0, limit),
    },
    published: { newest: async () => head },
  }
}

test.each([
  ['small', 100, [256, 256, 88]],
  ['large', 65_000, [64, 64, 64, 64, 64, 64, 64, 64, 64, 24]],
  ['larger than a page', 5_000_000, [1, 1, 1]],
])('pages of %s entries end in time, and together are all entries', async (_, characters, lengths) => {
  const count = lengths.reduce((sum, length) => sum + length, 0)
  const log = logOf(count, characters)
  const seen: number[] = []
  const pages: number[] = []
  let from: number | null = 0
  while (from !== null) {
    const page: Awaited<ReturnType<typeof listOpenings>> = await listOpenings({ from, limit: 256 }, log)
    seen.push(...page.openings.map(({ index }) => index))
    pages.push(page.openings.length)
    from = page.next_from
  }
  expect(pages).toEqual(lengths)
  expect(seen).toEqual(Array.from({ length: count }, (_, index) => index * 2))
})
