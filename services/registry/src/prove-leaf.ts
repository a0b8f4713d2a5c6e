import { toHex } from '@tillit/codec'
import type { AnchorRecord } from '@tillit/ledger'
import { formatTlogProof, hashBytes, logEntry } from '@tillit/log'
import { Problem } from '@tillit/problem'
import type { LeafProof } from '@tillit/schemas'
import { anchorEvidence } from './anchor-evidence.ts'
import type { AnchorStore } from './anchor-store.ts'
import type { LogReader } from './log-store.ts'
import type { PublishedCheckpoint } from './publication-store.ts'
import type { PublishedLog } from './published-log.ts'
import { vkeyOf, type Witnessing } from './witnessing.ts'

export interface ProofParts {
  readonly log: Pick<LogReader, 'readLeaf'>
  readonly published: PublishedLog
  readonly anchors: AnchorStore
  readonly witnessing: Witnessing
}

/**
 * Proves that the log holds a commitment: against the checkpoint of `size` when one is named, else against the newest
 * anchored one that holds it, else against the newest. Throws Problem log-entry-not-found while no such checkpoint holds it.
 */
export async function proveLeaf(
  commitment: Uint8Array,
  size: number | null,
  { log, published, anchors, witnessing }: ProofParts,
): Promise<LeafProof> {
  const leaf = await log.readLeaf(commitment)
  if (leaf === null) throw new Problem('log-entry-not-found')
  const { index, publicSalt } = leaf
  const anchor = size === null ? await anchors.newestHolding(index) : await anchors.ofSize(size)
  const checkpoint = await checkpointFor(anchor, size, published)
  if (checkpoint === null || checkpoint.size <= index) {
    throw new Problem('log-entry-not-found', { detail: 'No published checkpoint of that size holds the entry (yet)' })
  }
  const hashes = await published.prover.inclusionProof(index, checkpoint.size)
  const entry = logEntry(commitment, publicSalt)
  return {
    commitment: toHex(commitment),
    index,
    ...(entry.length === hashBytes ? {} : { entry: toHex(entry) }),
    proof: formatTlogProof({ index, hashes, checkpoint: checkpoint.note }),
    anchor: anchor === null ? null : anchorEvidence(anchor),
    log: {
      origin: witnessing.origin,
      vkey: vkeyOf(checkpoint.note, witnessing),
      self_witnessed: witnessing.selfWitnessed,
    },
  }
}

function checkpointFor(
  anchor: AnchorRecord | null,
  size: number | null,
  published: PublishedLog,
): Promise<PublishedCheckpoint | null> {
  const wanted = size ?? anchor?.size ?? null
  return wanted === null ? published.newest() : published.ofSize(wanted)
}
