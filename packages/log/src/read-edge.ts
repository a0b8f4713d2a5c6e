import type { TreeEdge } from './append-leaves.ts'
import { hashBytes } from './commit.ts'
import type { ReadTiles } from './read-tiles.ts'
import { type TileId, tileIn, tileWidth } from './tile.ts'

/** Reads the edge of the tree of `size` leaves from its tiles: what appendLeaves needs to go on after a restart. */
export async function readEdge(size: number, readTiles: ReadTiles): Promise<TreeEdge> {
  const partial: TileId[] = []
  for (let level = 0; Math.floor(size / tileWidth ** level) > 0; level++) {
    partial.push(tileIn(size, level, Math.floor(size / tileWidth ** (level + 1))))
  }
  const present = partial.filter((tile) => tile.width > 0)
  const read = await readTiles(present)
  const hashes = new Map(present.map((tile, i) => [tile.level, read[i]?.slice(0, tile.width * hashBytes)]))
  const tiles = partial.map(({ level }) => hashes.get(level) ?? new Uint8Array(0))
  if (tiles.some((tile, i) => tile.length !== (partial[i]?.width ?? 0) * hashBytes)) {
    throw new Error(`a tile at the edge of the tree of ${size} leaves is missing or too narrow`)
  }
  return { size, tiles }
}
