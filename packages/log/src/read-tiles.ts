import type { TileId } from './tile.ts'

/**
 * Reads tiles, in the order asked. A tile may come back wider than asked (only the first `width` hashes are used), so a
 * store may keep one row a tile. All tiles of a proof are asked for at once.
 */
export type ReadTiles = (tiles: readonly TileId[]) => Promise<readonly Uint8Array[]>
