import { Problem } from '@tillit/problem'
import { hashBytes } from './commit.ts'
import { nodeHash } from './merkle.ts'

/** Hashes in a full tile (C2SP tlog-tiles). */
export const tileWidth = 256

/** Levels of the tree that one tile spans: 2^8 = 256. */
export const tileHeight = 8

/** Highest tile level that a path may name (C2SP tlog-tiles). */
const maxTileLevel = 63

/** Which tile: level 0 holds leaf hashes, level n the roots of full tiles of level n-1. `width` is 256 unless partial. */
export interface TileId {
  readonly level: number
  readonly index: number
  readonly width: number
}

/** A tile: `width` hashes of 32 bytes, one after the other. */
export interface Tile extends TileId {
  readonly hashes: Uint8Array
}

/** Which bundle of log entries; `width` is 256 unless partial. */
export interface EntryBundleId {
  readonly index: number
  readonly width: number
}

/** The widest form of a tile in a tree of `size` leaves; width 0 when the tree does not reach it. */
export function tileIn(size: number, level: number, index: number): TileId {
  const hashesOfLevel = Math.floor(size / tileWidth ** level)
  return { level, index, width: Math.max(0, Math.min(tileWidth, hashesOfLevel - index * tileWidth)) }
}

/** The root of the perfect subtree over `count` (a power of two) hashes of a tile from `from` on; one hash is a view of it. */
export function subtreeOfTile(hashes: Uint8Array, from: number, count: number): Uint8Array {
  if (count === 1) return hashes.subarray(from * hashBytes, (from + 1) * hashBytes)
  const half = count / 2
  return nodeHash(subtreeOfTile(hashes, from, half), subtreeOfTile(hashes, from + half, half))
}

/** The path below the log's prefix: `tile/0/x001/067.p/8`. */
export function tilePath(tile: TileId): string {
  return `tile/${tile.level}/${indexPath(tile)}`
}

/** The path below the log's prefix: `tile/entries/x001/067.p/8`. */
export function entryBundlePath(bundle: EntryBundleId): string {
  return `tile/entries/${indexPath(bundle)}`
}

/** Parses what follows `tile/`. Throws Problem not-found, as a path that names no tile is a resource that never is. */
export function parseTilePath(path: string): TileId | (EntryBundleId & { readonly level: 'entries' }) {
  const match = /^(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/.exec(path)
  const [, level, indexText, widthText] = match ?? []
  if (level === undefined || indexText === undefined) throw noTile()
  const width = widthText === undefined ? tileWidth : Number(widthText)
  const index = Number(indexText.replaceAll(/[x/]/g, ''))
  // One name for each tile: no partial path for a full tile, no leading x000.
  if (width >= tileWidth && widthText !== undefined) throw noTile()
  if (indexText.startsWith('x000') || !Number.isSafeInteger(index)) throw noTile()
  if (level === 'entries') return { level, index, width }
  if (Number(level) > maxTileLevel) throw noTile()
  return { level: Number(level), index, width }
}

function indexPath({ index, width }: EntryBundleId): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0')
  const elements = digits.match(/[0-9]{3}/g) ?? []
  const path = elements.map((element, i) => (i === elements.length - 1 ? element : `x${element}`)).join('/')
  return width === tileWidth ? path : `${path}.p/${width}`
}

function noTile(): Problem {
  return new Problem('not-found', { detail: 'The path names no tile' })
}
