import { Problem } from '@tillit/problem'
import { hashBytes } from './commit.ts'
import { emptyRoot, nodeHash } from './merkle.ts'
import { consistencyRanges, inclusionRanges, type LeafRange, perfectSubtrees, type Subtree } from './subtrees.ts'
import { subtreeOfTile, type TileId, tileHeight, tileIn, tileWidth } from './tile.ts'

/**
 * Reads tiles, in the order asked. A tile may come back wider than asked (only the first `width` hashes are used), so a
 * store may keep one row a tile. All tiles of a proof are asked for at once.
 */
export type ReadTiles = (tiles: readonly TileId[]) => Promise<readonly Uint8Array[]>

/** The inclusion proof of the leaf at `index` in the tree of `size` leaves (RFC 9162 section 2.1.3). */
export async function inclusionProof(index: number, size: number, readTiles: ReadTiles): Promise<Uint8Array[]> {
  if (index < 0 || index >= size) throw new RangeError('the index lies outside the tree')
  return rangeHashes(inclusionRanges(index, size), size, readTiles)
}

/** The proof that the tree of `from` leaves is a beginning of that of `to` (RFC 9162 section 2.1.4); empty for 0. */
export async function consistencyProof(from: number, to: number, readTiles: ReadTiles): Promise<Uint8Array[]> {
  if (from < 0 || from > to) throw new RangeError('the older tree is not the smaller one')
  if (from === 0 || from === to) return []
  return rangeHashes(consistencyRanges(from, to), to, readTiles)
}

/** The root of the tree of `size` leaves, from its tiles. */
export async function rootFromTiles(size: number, readTiles: ReadTiles): Promise<Uint8Array> {
  if (size === 0) return emptyRoot()
  const [root] = await rangeHashes([{ start: 0, end: size }], size, readTiles)
  return root ?? emptyRoot()
}

async function rangeHashes(ranges: LeafRange[], size: number, readTiles: ReadTiles): Promise<Uint8Array[]> {
  const subtreesOfRanges = ranges.map(perfectSubtrees)
  const tiles = new Map<string, TileId>()
  for (const subtree of subtreesOfRanges.flat()) {
    const { level, index } = place(subtree)
    tiles.set(`${level}/${index}`, tileIn(size, level, index))
  }
  const read = await readTiles([...tiles.values()])
  const hashesByTile = new Map([...tiles.keys()].map((key, i) => [key, read[i]] as const))
  const hashOf = (subtree: Subtree): Uint8Array => {
    const { level, index, from, count } = place(subtree)
    const hashes = hashesByTile.get(`${level}/${index}`)
    if (hashes === undefined || hashes.length < (from + count) * hashBytes) {
      throw new Problem('log-entry-not-found', { detail: `The log has no tile ${level}/${index} of that width` })
    }
    return subtreeOfTile(hashes, from, count)
  }
  return subtreesOfRanges.map((subtrees) => subtrees.map(hashOf).reduceRight((right, left) => nodeHash(left, right)))
}

/** Where the hashes under a perfect subtree stand: `count` of them from `from` on in one tile. */
function place(subtree: Subtree): { level: number; index: number; from: number; count: number } {
  const level = Math.floor(subtree.height / tileHeight)
  const count = 2 ** (subtree.height % tileHeight)
  const first = subtree.index * count
  return { level, index: Math.floor(first / tileWidth), from: first % tileWidth, count }
}
