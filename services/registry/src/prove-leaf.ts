import { toHex } from '@tillit/codec'
import type { AnchorRecord } from '@tillit/ledger'
import { formatTlogProof, formatVerifierKey, hashBytes, logEntry } from '@tillit/log'
import { Problem } from '@tillit/problem'
import type { LeafProof } from '@tillit/schemas'
import { anchorEvidence } from './anchor-evidence.ts'
import type { AnchorStore } from './anchor-store.ts'
import type { LogReader } from './log-store.ts'
import type { PublishedCheckpoint } from './publication-store.ts'
import type { PublishedLog } from './published-log.ts'
import { signerOf, type Witnessing } from './witnessing.ts'

export interface ProofParts {
  readonly log: Pick<LogReader, 'readLeaf'>
  readonly published: PublishedLog
  readonly anchors: AnchorStore
  readonly witnessing: Witnessing
}

/**
 * Proves that the log holds a commitment: against the checkpoint of `size` when one is named, else against the newest
 * anchored one that holds it and that the active key has signed, else against the newest. Throws Problem log-entry-not-found
 * while no such checkpoint holds it.
 */
export async function proveLeaf(commitment: Uint8Array, size: number | null, parts: ProofParts): Promise<LeafProof> {
  const { log, published, witnessing } = parts
  const leaf = await log.readLeaf(commitment)
  if (leaf === null) throw new Problem('log-entry-not-found')
  const { index, publicSalt } = leaf
  const { checkpoint, anchor } = size === null ? await bestHolding(index, parts) : await ofSize(size, parts)
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
      vkey: formatVerifierKey(signerOf(checkpoint.note, witnessing) ?? witnessing.activeKey),
      self_witnessed: witnessing.selfWitnessed,
    },
  }
}

interface Evidence {
  readonly checkpoint: PublishedCheckpoint | null
  readonly anchor: AnchorRecord | null
}

async function ofSize(size: number, { published, anchors }: ProofParts): Promise<Evidence> {
  return { checkpoint: await published.ofSize(size), anchor: await anchors.ofSize(size) }
}

async function bestHolding(index: number, { published, anchors, witnessing }: ProofParts): Promise<Evidence> {
  const anchor = await anchors.newestHolding(index)
  const checkpoint = anchor === null ? null : await published.ofSize(anchor.size)
  // Just after the log's key has changed, the last anchor may be of a note that who knows only the new key cannot verify.
  if (checkpoint !== null && signerOf(checkpoint.note, witnessing) === witnessing.activeKey)
    return { checkpoint, anchor }
  return { checkpoint: await published.newest(), anchor: null }
}
