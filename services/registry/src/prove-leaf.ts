import { toHex } from '@tillit/codec'
import type { AnchorRecord } from '@tillit/ledger'
import { formatTlogProof, formatVerifierKey, inclusionProof, verifierKey } from '@tillit/log'
import { Problem } from '@tillit/problem'
import type { LeafProof } from '@tillit/schemas'
import { anchorEvidence } from './anchor-evidence.ts'
import type { AnchorStore } from './anchor-store.ts'
import type { LogReader, StoredCheckpoint } from './log-store.ts'
import type { RegistryPorts } from './ports.ts'

/**
 * Proves that the log holds a commitment: against the checkpoint of `size` when one is named, else against the newest
 * anchored one that holds it, else against the newest. Throws Problem log-entry-not-found while no such checkpoint holds it.
 */
export async function proveLeaf(
  commitment: Uint8Array,
  size: number | null,
  { log, anchors, ...ports }: { log: LogReader; anchors: AnchorStore } & Pick<RegistryPorts, 'logOrigin' | 'logSigner'>,
): Promise<LeafProof> {
  const index = await log.readLeafIndex(commitment)
  if (index === null) throw new Problem('log-entry-not-found')
  const anchor = size === null ? await anchors.newestHolding(index) : await anchors.ofSize(size)
  const checkpoint = await checkpointFor(anchor, size, log)
  if (checkpoint === null || checkpoint.size <= index) {
    throw new Problem('log-entry-not-found', { detail: 'No signed checkpoint of that size holds the entry (yet)' })
  }
  const hashes = await inclusionProof(index, checkpoint.size, log.readTiles)
  return {
    commitment: toHex(commitment),
    index,
    proof: formatTlogProof({ index, hashes, checkpoint: checkpoint.note }),
    anchor: anchor === null ? null : anchorEvidence(anchor),
    log: {
      origin: ports.logOrigin,
      vkey: formatVerifierKey(verifierKey(ports.logOrigin, ports.logSigner.publicKey)),
      self_witnessed: true,
    },
  }
}

function checkpointFor(
  anchor: AnchorRecord | null,
  size: number | null,
  log: LogReader,
): Promise<StoredCheckpoint | null> {
  const wanted = size ?? anchor?.size ?? null
  return wanted === null ? log.newestCheckpoint() : log.readCheckpoint(wanted)
}
