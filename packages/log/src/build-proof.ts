import { createProver } from './prover.ts'
import type { ReadTiles } from './read-tiles.ts'

/** The inclusion proof of the leaf at `index` in the tree of `size` leaves (RFC 9162 section 2.1.3). */
export function inclusionProof(index: number, size: number, readTiles: ReadTiles): Promise<Uint8Array[]> {
  return createProver({ readTiles }).inclusionProof(index, size)
}

/** The proof that the tree of `from` leaves is a beginning of that of `to` (RFC 9162 section 2.1.4); empty for 0. */
export function consistencyProof(from: number, to: number, readTiles: ReadTiles): Promise<Uint8Array[]> {
  return createProver({ readTiles }).consistencyProof(from, to)
}

/** The root of the tree of `size` leaves, from its tiles. */
export function rootFromTiles(size: number, readTiles: ReadTiles): Promise<Uint8Array> {
  return createProver({ readTiles }).root(size)
}
