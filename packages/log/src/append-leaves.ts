import { hashBytes } from './commit.ts'
import { type ExpandedTile, expandTile, nodeOfTile } from './expand-tile.ts'
import { emptyRoot, nodeHash } from './merkle.ts'
import { subtreeOfTile, type Tile, tileHeight, tileWidth } from './tile.ts'

/**
 * All that is needed to grow a tree: how many leaves it has and, for each level, the hashes of its partial tile (may be
 * empty). At most one tile a level, so a few kilobytes whatever the size of the log.
 */
export interface TreeEdge {
  readonly size: number
  readonly tiles: readonly Uint8Array[]
}

export interface Appended {
  readonly edge: TreeEdge
  readonly root: Uint8Array
  /** Every tile that is new or wider than before, in its widest form, lower levels first. */
  readonly changed: readonly Tile[]
}

export const emptyEdge: TreeEdge = { size: 0, tiles: [] }

/** Appends leaf hashes. Pure: the work is that of the new leaves and one partial tile for each level. */
export function appendLeaves(edge: TreeEdge, leafHashes: readonly Uint8Array[]): Appended {
  const changed: Tile[] = []
  const tiles: Uint8Array[] = []
  let arriving = leafHashes
  for (let level = 0; arriving.length > 0 || level < edge.tiles.length; level++) {
    const grown = growLevel(edge, level, arriving)
    for (const tile of grown.changed) changed.push(tile)
    tiles.push(grown.partial)
    arriving = grown.full
  }
  const appended = { size: edge.size + leafHashes.length, tiles }
  return { edge: appended, root: rootOfEdge(appended), changed }
}

/** The root of the tree, from its edge alone. */
export function rootOfEdge(edge: TreeEdge): Uint8Array {
  let root: Uint8Array | null = null
  for (const tile of edge.tiles) {
    const expanded = expandedOf(tile)
    // The set bits of the partial tile's width are its perfect subtrees; the narrowest is the rightmost.
    let end = expanded.width
    for (let height = 0; height < tileHeight; height++) {
      const count = 2 ** height
      if (Math.floor(end / count) % 2 === 0) continue
      end -= count
      const subtree = nodeOfTile(expanded, height, end / count)
      root = root === null ? subtree.slice() : nodeHash(subtree, root)
    }
  }
  return root ?? emptyRoot()
}

/** Tiles of the edge are never written to, and those of the upper levels stay for thousands of entries. */
const expandedTiles = new WeakMap<Uint8Array, ExpandedTile>()

function expandedOf(tile: Uint8Array): ExpandedTile {
  const known = expandedTiles.get(tile)
  if (known !== undefined) return known
  const expanded = expandTile(tile, tile.length / hashBytes)
  expandedTiles.set(tile, expanded)
  return expanded
}

interface GrownLevel {
  readonly partial: Uint8Array
  readonly changed: readonly Tile[]
  /** Roots of the tiles that became full: the hashes that arrive at the level above. */
  readonly full: readonly Uint8Array[]
}

function growLevel(edge: TreeEdge, level: number, arriving: readonly Uint8Array[]): GrownLevel {
  const before = edge.tiles[level] ?? new Uint8Array(0)
  if (arriving.length === 0) return { partial: before, changed: [], full: [] }
  const hashes = joined(before, arriving)
  const firstIndex = Math.floor(edge.size / tileWidth ** (level + 1))
  const changed: Tile[] = []
  const full: Uint8Array[] = []
  let at = 0
  for (; hashes.length - at >= tileWidth * hashBytes; at += tileWidth * hashBytes) {
    const tile = hashes.slice(at, at + tileWidth * hashBytes)
    changed.push({ level, index: firstIndex + full.length, width: tileWidth, hashes: tile })
    full.push(subtreeOfTile(tile, 0, tileWidth))
  }
  const partial = hashes.slice(at)
  const width = partial.length / hashBytes
  if (width > 0) changed.push({ level, index: firstIndex + full.length, width, hashes: partial })
  return { partial, changed, full }
}

/** One buffer: a million arguments to a function would be more than the stack holds. */
function joined(before: Uint8Array, arriving: readonly Uint8Array[]): Uint8Array {
  const hashes = new Uint8Array(before.length + arriving.length * hashBytes)
  hashes.set(before)
  for (const [i, hash] of arriving.entries()) hashes.set(hash, before.length + i * hashBytes)
  return hashes
}
