import { hashBytes } from './commit.ts'
import { nodeHash } from './merkle.ts'

/**
 * A tile with its interior: the hashes themselves, then those of every perfect pair, of every perfect four, and so on up
 * to the root of a full tile, one after the other in one buffer of at most 16,352 bytes.
 */
export interface ExpandedTile {
  readonly width: number
  readonly nodes: Uint8Array
}

/** Expands the first `width` hashes of a tile: at most 255 hashes of work. */
export function expandTile(hashes: Uint8Array, width: number): ExpandedTile {
  const nodes = new Uint8Array(nodesBelow(width, Number.POSITIVE_INFINITY) * hashBytes)
  nodes.set(hashes.subarray(0, width * hashBytes))
  let from = 0
  let to = width
  for (let count = Math.floor(width / 2); count > 0; count = Math.floor(count / 2)) {
    for (let i = 0; i < count; i++) {
      const hash = nodeHash(hashAt(nodes, from + 2 * i), hashAt(nodes, from + 2 * i + 1))
      nodes.set(hash, (to + i) * hashBytes)
    }
    // The next row pairs up what this one made; an odd last one of the row below stays without a parent.
    from = to
    to += count
  }
  return { width, nodes }
}

/** The root of the perfect subtree of 2^height hashes, the `index`-th of those. A view, not a copy. */
export function nodeOfTile(tile: ExpandedTile, height: number, index: number): Uint8Array {
  return hashAt(tile.nodes, placeOfNode(tile, height, index))
}

/** The same as a copy. Byte by byte, since making a view alone would take longer. */
export function copyOfNode(tile: ExpandedTile, height: number, index: number): Uint8Array {
  const from = placeOfNode(tile, height, index) * hashBytes
  const hash = new Uint8Array(hashBytes)
  for (let i = 0; i < hashBytes; i++) hash[i] = tile.nodes[from + i] ?? 0
  return hash
}

function placeOfNode({ width }: ExpandedTile, height: number, index: number): number {
  if (index >= width >> height) throw new RangeError('the tile has no such subtree')
  return nodesBelow(width, height) + index
}

/** How many nodes stand in the rows under `height`. */
function nodesBelow(width: number, height: number): number {
  let nodes = 0
  for (let row = width, at = 0; row > 0 && at < height; row = row >> 1, at++) nodes += row
  return nodes
}

function hashAt(nodes: Uint8Array, index: number): Uint8Array {
  return nodes.subarray(index * hashBytes, (index + 1) * hashBytes)
}
