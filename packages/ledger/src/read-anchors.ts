import { Problem } from '@tillit/problem'
import { hexToBytes } from 'viem'
import type { AnchoredHead } from './ledger.ts'
import { openForReading, type ReadOptions } from './read-anchor.ts'
import { anchorEvents } from './scan-events.ts'

/** A head that the ledger holds, with its place there. */
export interface LedgerAnchor extends AnchoredHead {
  readonly transaction: string
  readonly blockNumber: number
}

export interface ReadAnchorsOptions extends ReadOptions {
  /** Only heads of at least this size; what is older is not asked for. */
  readonly minSize?: number
  /** How many blocks the node is asked for at first; from there on the range goes by its answers. */
  readonly blocksPerCall?: number
  readonly signal?: AbortSignal
}

/**
 * Every head that the contract was given, the smallest first: for whoever replays a log, as the ledger must not hold a head
 * that the log does not. Throws Problem as readAnchor does, and anchor-mismatch when the sizes do not grow, which our
 * contract rules out: then the node lies.
 */
export async function readAnchors(options: ReadAnchorsOptions): Promise<LedgerAnchor[]> {
  const { connection, contract } = await openForReading(options)
  const anchors: LedgerAnchor[] = []
  const { blocksPerCall, signal } = options
  const scan = {
    ...(blocksPerCall === undefined ? {} : { blocksPerCall }),
    ...(signal === undefined ? {} : { signal }),
  }
  for await (const { size, root, transaction, blockNumber } of anchorEvents(connection.client, contract, scan)) {
    requireShrinking(anchors.at(-1)?.size, size)
    // Sizes only grow, so nothing before this one can be larger.
    if (size < (options.minSize ?? 0)) break
    anchors.push({ size, root: hexToBytes(root), transaction, blockNumber: Number(blockNumber) })
  }
  return anchors.reverse()
}

/** Going back in time every size is smaller than the one before. */
function requireShrinking(newer: number | undefined, older: number): void {
  if (newer !== undefined && older >= newer)
    throw new Problem('anchor-mismatch', { detail: 'The node of the ledger gives anchors out of their order' })
}
