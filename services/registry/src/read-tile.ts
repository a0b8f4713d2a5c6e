import { encodeEntryBundle, hashBytes, parseTilePath, tileWidth } from '@tillit/log'
import { Problem } from '@tillit/problem'
import type { LogReader } from './log-store.ts'

/** The bytes of a tile or an entry bundle by its path below `tile/` (C2SP tlog-tiles). Throws Problem not-found. */
export async function readTile(path: string, log: LogReader): Promise<Uint8Array> {
  const tile = parseTilePath(path)
  const { level, index, width } = tile
  if (level === 'entries') {
    const commitments = await log.readCommitments(index * tileWidth, width)
    if (commitments.length !== width) throw noTile()
    return encodeEntryBundle(commitments)
  }
  const [hashes] = await log.readTiles([{ level, index, width }])
  if (hashes === undefined || hashes.length < width * hashBytes) throw noTile()
  return hashes.subarray(0, width * hashBytes)
}

function noTile(): Problem {
  return new Problem('not-found', { detail: 'The log has no tile of that width yet' })
}
