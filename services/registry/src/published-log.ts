import { createProver, type Prover, type ReadTiles } from '@tillit/log'
import type { PublicationReader } from './publication-store.ts'

/** Expanded tiles kept for proofs, at most 16 kB each: those over a quarter of a million leaves, and all levels above. */
const maxProverTiles = 1024

/** What the public may know of the log: as far as it is published and no further. */
export interface PublishedLog extends Pick<PublicationReader, 'newest' | 'ofSize'> {
  /** Whether the published log holds `size` entries. */
  reaches(size: number): Promise<boolean>
  /** Proves about any size that is stored; callers make sure that it is published. */
  readonly prover: Prover
}

export function createPublishedLog(publications: PublicationReader, readTiles: ReadTiles): PublishedLog {
  // The published log only grows, so what was once seen needs no second look.
  let knownSize = 0
  const newest = async () => {
    const checkpoint = await publications.newest()
    knownSize = Math.max(knownSize, checkpoint?.size ?? 0)
    return checkpoint
  }
  return {
    newest,
    ofSize: publications.ofSize,
    reaches: async (size) => size <= knownSize || size <= ((await newest())?.size ?? 0),
    prover: createProver({ readTiles, maxTiles: maxProverTiles }),
  }
}
