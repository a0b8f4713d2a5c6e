import { entryBundlePath, hashBytes, type ReadTiles, saltBytes, type TileId, tilePath, tileWidth } from '@tillit/log'
import type { CityReader } from './city-reader.ts'
import { inOrder } from './in-order.ts'

/** A full tile, and a full bundle of the longest entries with their two length bytes. */
const maxTileBytes = tileWidth * hashBytes
const maxBundleBytes = tileWidth * (2 + hashBytes + saltBytes)

/** Tiles that are asked for at once. */
export const concurrentReads = 8

/** The tile's hashes; null, with a finding, when it is missing or not of its width. */
export async function readTile(city: CityReader, tile: TileId): Promise<Uint8Array | null> {
  return city.bytes(pathOfTile(tile), { maxBytes: maxTileBytes, missing: 'tile-missing' })
}

/** The bytes of an entry bundle; null, with a finding, when it is missing. */
export async function readBundle(
  city: CityReader,
  bundle: { index: number; width: number },
): Promise<Uint8Array | null> {
  return city.bytes(pathOfBundle(bundle), { maxBytes: maxBundleBytes, missing: 'bundle-missing' })
}

/** The city's tiles, for whoever makes proofs from them. One that is missing is read as empty. */
export function tilesOf(city: CityReader): ReadTiles {
  return async (tiles) => {
    const read: Uint8Array[] = []
    for await (const hashes of inOrder(tiles, concurrentReads, (tile) => readTile(city, tile)))
      read.push(hashes ?? new Uint8Array(0))
    return read
  }
}

export function pathOfTile(tile: TileId): string {
  return `/log/${tilePath(tile)}`
}

export function pathOfBundle(bundle: { index: number; width: number }): string {
  return `/log/${entryBundlePath(bundle)}`
}
