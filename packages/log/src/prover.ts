import { Problem } from '@tillit/problem'
import { hashBytes } from './commit.ts'
import { copyOfNode, type ExpandedTile, expandTile, nodeOfTile } from './expand-tile.ts'
import { emptyRoot, nodeHash } from './merkle.ts'
import type { ReadTiles } from './read-tiles.ts'
import { consistencyRanges, inclusionRanges, type LeafRange, perfectSubtrees, type Subtree } from './subtrees.ts'
import { type TileId, tileHeight, tileIn, tileWidth } from './tile.ts'

/** Expanded tiles that a prover keeps unless told otherwise: at most 16 kB each, so 135 MB; a million leaves take half. */
const defaultMaxTiles = 8192

export interface ProverOptions {
  readonly readTiles: ReadTiles
  /** How many expanded tiles are kept, of at most 16 kB each; half of them are sure to be the ones used last. */
  readonly maxTiles?: number
}

/** Makes proofs from tiles. What it has read and hashed it keeps, so a proof under a known tree is copying alone. */
export interface Prover {
  /** The inclusion proof of the leaf at `index` in the tree of `size` leaves (RFC 9162 section 2.1.3). */
  inclusionProof(index: number, size: number): Promise<Uint8Array[]>
  /** The proof that the tree of `from` leaves is a beginning of that of `to` (RFC 9162 section 2.1.4); empty for 0. */
  consistencyProof(from: number, to: number): Promise<Uint8Array[]>
  /** The root of the tree of `size` leaves. */
  root(size: number): Promise<Uint8Array>
}

/**
 * A prover over the tiles of one log. Tiles only ever grow, so nothing in it goes stale. Methods throw Problem
 * log-entry-not-found when a tile is missing or too narrow, and RangeError for a tree that cannot be.
 */
export function createProver({ readTiles, maxTiles = defaultMaxTiles }: ProverOptions): Prover {
  const cache = new TileCache(maxTiles)
  const ragged = new RaggedHashes()
  const hashesOf = async (ranges: readonly LeafRange[], size: number): Promise<Uint8Array[]> => {
    const pieces = ranges.map((range) => ragged.find(range, size) ?? perfectSubtrees(range).map(place))
    const tiles = await tilesFor(pieces, size, { cache, readTiles })
    return pieces.map((piece, i) => {
      if (piece instanceof Uint8Array) return piece.slice()
      const hash = foldPlaces(piece, tiles)
      ragged.keep(ranges[i], size, hash)
      return hash.slice()
    })
  }
  return {
    inclusionProof: async (index, size) => {
      if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size)
        throw new RangeError('the index lies outside the tree')
      return rememberedProof(index, size, { cache, ragged }) ?? hashesOf(inclusionRanges(index, size), size)
    },
    consistencyProof: async (from, to) => {
      if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from > to)
        throw new RangeError('the older tree is not the smaller one')
      return from === 0 || from === to ? [] : hashesOf(consistencyRanges(from, to), to)
    },
    root: async (size) => {
      if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('a tree has no such size')
      const [root] = size === 0 ? [emptyRoot()] : await hashesOf([{ start: 0, end: size }], size)
      return root ?? emptyRoot()
    },
  }
}

/**
 * The inclusion proof where all of it is at hand, else null: one look-up a tile, and one copy for each hash. Goes up from the leaf
 * (RFC 9162 section 2.1.3.2 in reverse): on each height the sibling, unless the node is the last one and has none.
 */
function rememberedProof(
  index: number,
  size: number,
  { cache, ragged }: { cache: TileCache; ragged: RaggedHashes },
): Uint8Array[] | null {
  const hashes: Uint8Array[] = []
  let tile: ExpandedTile | null = null
  let node = index
  let last = size - 1
  for (let height = 0, leaves = 1; last > 0; height++, leaves *= 2) {
    const heightInTile = height % tileHeight
    // A node and its sibling stand in one tile, so the path leaves it only upwards.
    if (heightInTile === 0) tile = null
    const sibling = node % 2 === 0 ? node + 1 : node - 1
    if (sibling <= last) {
      const perTile = tileWidth >> heightInTile
      const isPerfect = (sibling + 1) * leaves <= size
      if (isPerfect) tile ??= cache.get(tileIn(size, Math.floor(height / tileHeight), Math.floor(sibling / perTile)))
      const hash = isPerfect
        ? tile && copyOfNode(tile, heightInTile, sibling % perTile)
        : (ragged.find({ start: sibling * leaves, end: size }, size)?.slice() ?? null)
      if (hash === null) return null
      hashes.push(hash)
    }
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  return hashes
}

/** Where the hash of a perfect subtree stands: in which tile, at which height of it, the how-manyth there. */
interface Place extends Subtree {
  readonly tile: number
  readonly level: number
  readonly key: number
}

/** A tree of 2^53 leaves has seven levels of tiles. */
const maxLevels = 8

function place({ height, index }: Subtree): Place {
  const level = Math.floor(height / tileHeight)
  const heightInTile = height % tileHeight
  const perTile = tileWidth / 2 ** heightInTile
  const tile = Math.floor(index / perTile)
  return { level, tile, key: keyOf(level, tile), height: heightInTile, index: index % perTile }
}

/** One number for a tile: a text would cost more than the look-up that it is for. */
function keyOf(level: number, tile: number): number {
  return tile * maxLevels + level
}

type Tiles = ReadonlyMap<number, ExpandedTile>

/** All tiles that the places stand in: from the cache, the others by one read. */
async function tilesFor(
  pieces: readonly (Uint8Array | readonly Place[])[],
  size: number,
  { cache, readTiles }: { cache: TileCache; readTiles: ReadTiles },
): Promise<Tiles> {
  const found = new Map<number, ExpandedTile>()
  const missing = new Map<number, TileId>()
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) continue
    for (const { level, tile, key } of piece) {
      if (found.has(key) || missing.has(key)) continue
      const id = tileIn(size, level, tile)
      const cached = cache.get(id)
      if (cached === null) missing.set(key, id)
      else found.set(key, cached)
    }
  }
  if (missing.size === 0) return found
  const ids = [...missing.values()]
  const read = await readTiles(ids)
  for (const [i, id] of ids.entries()) {
    const hashes = read[i]
    if (hashes === undefined || hashes.length < id.width * hashBytes)
      throw new Problem('log-entry-not-found', { detail: `The log has no tile ${id.level}/${id.index} of that width` })
    const tile = expandTile(hashes, id.width)
    cache.put(id, tile)
    found.set(keyOf(id.level, id.index), tile)
  }
  return found
}

/** The hash of neighbouring perfect subtrees, each narrower than the one to its left (RFC 9162 section 2.1.1). */
function foldPlaces(places: readonly Place[], tiles: Tiles): Uint8Array {
  return places
    .map(({ key, height, index }) => {
      const expanded = tiles.get(key)
      if (expanded === undefined) throw new Error('a tile of the proof was not read')
      return nodeOfTile(expanded, height, index)
    })
    .reduceRight((right, left) => nodeHash(left, right))
}

/**
 * Expanded tiles, in two generations: when the young one is full the old one is forgotten and the young one grows old. What
 * is in use comes back to the young one, so this forgets about what least recently used order would, for one look-up a
 * tile. A tile of the edge is replaced as it gets wider.
 */
class TileCache {
  #young = new Map<number, ExpandedTile>()
  #old = new Map<number, ExpandedTile>()
  readonly #maxYoung: number

  constructor(maxTiles: number) {
    this.#maxYoung = Math.floor(maxTiles / 2)
  }

  /** The tile at least as wide as asked, or null. Wider serves as well: its first hashes are the same. */
  get({ level, index, width }: TileId): ExpandedTile | null {
    const key = keyOf(level, index)
    const young = this.#young.get(key)
    if (young !== undefined) return young.width < width ? null : young
    const old = this.#old.get(key)
    if (old === undefined || old.width < width) return null
    this.#keep(key, old)
    return old
  }

  put({ level, index }: TileId, tile: ExpandedTile): void {
    const key = keyOf(level, index)
    const before = this.#young.get(key)
    // Of two reads under way the one for the smaller tree may end last.
    if (before === undefined || before.width < tile.width) this.#keep(key, tile)
  }

  #keep(key: number, tile: ExpandedTile): void {
    if (this.#young.size >= this.#maxYoung && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    if (this.#maxYoung > 0) this.#young.set(key, tile)
  }
}

/** The hashes of ranges that end with the tree and are not perfect, for the one tree that was last asked for: at most 53. */
class RaggedHashes {
  #size = -1
  readonly #hashes = new Map<number, Uint8Array>()

  find(range: LeafRange, size: number): Uint8Array | null {
    return size === this.#size && range.end === size ? (this.#hashes.get(range.start) ?? null) : null
  }

  keep(range: LeafRange | undefined, size: number, hash: Uint8Array): void {
    if (range?.end !== size) return
    if (size !== this.#size) this.#hashes.clear()
    this.#size = size
    this.#hashes.set(range.start, hash)
  }
}
