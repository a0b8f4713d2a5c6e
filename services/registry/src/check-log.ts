import { equalBytes } from '@tillit/codec'
import {
  consistencyProof,
  hashBytes,
  leafHash,
  readEdge,
  rootOfEdge,
  type TreeHead,
  tileWidth,
  verifyConsistency,
} from '@tillit/log'
import { isProblem, Problem } from '@tillit/problem'
import type { LogWriter } from './log-store.ts'

/**
 * The head of the tree as it is stored, after making sure that it extends the newest signed checkpoint and that this holds
 * whatever was published. Throws Problem log-inconsistent: signing or appending then could show two trees to the world.
 */
export async function verifyHead(writer: LogWriter): Promise<TreeHead> {
  const size = await writer.readSize()
  const signed = await writer.newestSigned()
  const publishedSize = await writer.readPublishedSize()
  if (publishedSize > (signed?.size ?? 0)) {
    throw inconsistent(`a checkpoint of ${publishedSize} entries is published, ${signed?.size ?? 0} are signed`)
  }
  if (signed !== null && size < signed.size) {
    throw inconsistent(`it holds ${size} entries, ${signed.size} are signed`)
  }
  try {
    const root = rootOfEdge(await readEdge(size, writer.readTiles))
    if (signed !== null) {
      verifyConsistency(signed, { size, root }, await consistencyProof(signed.size, size, writer.readTiles))
    }
    return { size, root }
  } catch (cause) {
    // The database may be out of reach; that says nothing about the log.
    if (!isProblem(cause)) throw cause
    throw inconsistent(`its tiles do not give a tree of ${size} entries that extends the signed ones`, cause)
  }
}

/** Makes sure that the newest entries are those that the tiles hold. Throws Problem log-inconsistent. */
export async function verifyNewestEntries({ size }: TreeHead, writer: LogWriter): Promise<void> {
  if (size === 0) return
  const index = Math.floor((size - 1) / tileWidth)
  const entries = await writer.readEntries(index * tileWidth, tileWidth)
  const [tile = new Uint8Array()] = await writer.readTiles([{ level: 0, index, width: size - index * tileWidth }])
  const same =
    entries.length === size - index * tileWidth &&
    tile.length >= entries.length * hashBytes &&
    entries.every((entry, i) => equalBytes(leafHash(entry), tile.subarray(i * hashBytes, (i + 1) * hashBytes)))
  if (!same) throw inconsistent('its newest entries are not those of its tiles')
}

function inconsistent(detail: string, cause?: unknown): Problem {
  return new Problem('log-inconsistent', {
    detail: `The log takes no more entries and signs nothing: ${detail}`,
    cause,
  })
}
