import { sha256, toBase64url } from '@tillit/codec'
import { encodeEntryBundle, hashBytes, parseTilePath, tileWidth } from '@tillit/log'
import { Problem } from '@tillit/problem'
import type { LogReader } from './log-store.ts'
import type { PublishedLog } from './published-log.ts'

/** Full tiles and bundles kept, least recently read out first: at most 8 kB and 13 kB each. */
const maxKept = 2048

export interface ServedTile {
  readonly bytes: Buffer
  /** Strong: the same path never has other bytes. */
  readonly etag: string
}

/** Reads a tile or an entry bundle by its path below `tile/` (C2SP tlog-tiles). Throws Problem not-found. */
export type ReadTile = (path: string) => Promise<ServedTile>

/** Reads from the store what is published, and keeps full tiles: they never change. */
export function createTileReader(log: Pick<LogReader, 'readTiles' | 'readEntries'>, published: PublishedLog): ReadTile {
  const kept = new Map<string, ServedTile>()
  return async (path) => {
    const known = kept.get(path)
    if (known !== undefined) return keep(path, known)
    const tile = parseTilePath(path)
    const served = await read(tile)
    return tile.width === tileWidth ? keep(path, served) : served
  }

  async function read({ level, index, width }: ReturnType<typeof parseTilePath>): Promise<ServedTile> {
    const leavesOfHash = level === 'entries' ? 1 : tileWidth ** level
    // A tile exists once the published tree fills it to this width; beyond 2^53 leaves no tree of ours goes.
    const end = (index * tileWidth + width) * leavesOfHash
    if (!Number.isSafeInteger(end) || !(await published.reaches(end))) throw noTile()
    const bytes = level === 'entries' ? await readBundle(index, width) : await readHashes(level, index, width)
    return { bytes, etag: `"${toBase64url(sha256(bytes).subarray(0, 16))}"` }
  }

  async function readBundle(index: number, width: number): Promise<Buffer> {
    const entries = await log.readEntries(index * tileWidth, width)
    if (entries.length !== width) throw noTile()
    return Buffer.from(encodeEntryBundle(entries))
  }

  async function readHashes(level: number, index: number, width: number): Promise<Buffer> {
    const [hashes] = await log.readTiles([{ level, index, width }])
    if (hashes === undefined || hashes.length < width * hashBytes) throw noTile()
    return Buffer.from(hashes.subarray(0, width * hashBytes))
  }

  function keep(path: string, tile: ServedTile): ServedTile {
    kept.delete(path)
    kept.set(path, tile)
    for (const oldest of kept.keys()) {
      if (kept.size <= maxKept) break
      kept.delete(oldest)
    }
    return tile
  }
}

function noTile(): Problem {
  return new Problem('not-found', { detail: 'The published log has no tile of that width yet' })
}
