import type { ReadTiles } from './read-tiles.ts'
import type { Tile } from './tile.ts'

/** A log's tiles in memory: one flat buffer a tile, 32 bytes a leaf and a 255th of that for all levels above. */
export interface TileMemory {
  /** Takes what appendLeaves says has changed. */
  put(tiles: readonly Tile[]): void
  readonly readTiles: ReadTiles
}

/** For logs of a few million leaves, for tests and for measurements. A tile that is not there is read as empty. */
export function createTileMemory(): TileMemory {
  const levels: Map<number, Uint8Array>[] = []
  return {
    put: (tiles) => {
      for (const { level, index, hashes } of tiles) {
        let tilesOfLevel = levels[level]
        if (tilesOfLevel === undefined) {
          tilesOfLevel = new Map()
          levels[level] = tilesOfLevel
        }
        tilesOfLevel.set(index, hashes)
      }
    },
    readTiles: async (ids) => ids.map(({ level, index }) => levels[level]?.get(index) ?? new Uint8Array(0)),
  }
}
