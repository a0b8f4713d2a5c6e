import { toHex } from '@tillit/codec'
import type { LedgerStatus } from '@tillit/schemas'
import { anchorEvidence } from './anchor-evidence.ts'
import type { AnchorStore } from './anchor-store.ts'
import type { Anchorer } from './anchorer.ts'
import type { LogReader } from './log-store.ts'
import type { RegistryPorts } from './ports.ts'
import type { PublicationReader, PublishedCheckpoint } from './publication-store.ts'
import type { Publisher } from './publisher.ts'
import { vkeysOf, type Witnessing } from './witnessing.ts'

export interface LedgerParts {
  readonly log: LogReader
  readonly publications: PublicationReader
  readonly anchors: AnchorStore
  readonly anchorer: Anchorer
  readonly publisher: Publisher
  readonly witnessing: Witnessing
  readonly ports: Pick<RegistryPorts, 'ledger' | 'publicRpcUrl'>
}

/** Which ledger anchors the log, how far, and what stands in the way. */
export async function readLedger(parts: LedgerParts): Promise<LedgerStatus> {
  const { ledger, fault } = parts.anchorer
  const anchor = await parts.anchors.newest()
  const checkpoint = await parts.publications.newest()
  return {
    kind: 'absent' in parts.ports.ledger ? 'none' : 'evm',
    // While the ledger is out of reach, where the last anchor went is where the next one will go.
    chain_id: ledger?.chainId ?? anchor?.chainId ?? null,
    chain_name: ledger?.chainName ?? null,
    coin: ledger?.coin ?? null,
    contract: ledger?.contract ?? anchor?.contract ?? null,
    anchorer: ledger?.anchorer ?? null,
    confirmations: ledger?.confirmations ?? null,
    max_fee_wei: ledger?.maxFeeWei?.toString() ?? null,
    rpc_url: parts.ports.publicRpcUrl,
    last_anchor: anchor === null ? null : anchorEvidence(anchor),
    last_anchor_cost:
      anchor?.cost === undefined ? null : { gas_used: anchor.cost.gasUsed, fee_wei: anchor.cost.feeWei.toString() },
    last_anchor_url: anchor === null ? null : (ledger?.explorerUrl(anchor.transaction) ?? null),
    latest_checkpoint: checkpoint === null ? null : checkpointStatus(checkpoint),
    signed_size: (await parts.log.newestSigned())?.size ?? 0,
    unanchored: await unanchored(checkpoint, anchor?.size ?? 0, parts.publications),
    fault,
    publishing_fault: parts.publisher.fault,
    self_witnessed: parts.witnessing.selfWitnessed,
    log_vkeys: vkeysOf(parts.witnessing),
  }
}

function checkpointStatus({ size, root, signedAt, publishedAt }: PublishedCheckpoint) {
  return { size, root: toHex(root), signed_at: signedAt.toISOString(), published_at: publishedAt.toISOString() }
}

async function unanchored(
  newest: PublishedCheckpoint | null,
  anchoredSize: number,
  publications: PublicationReader,
): Promise<LedgerStatus['unanchored']> {
  if (newest === null || newest.size <= anchoredSize) return null
  const oldest = await publications.oldestBeyond(anchoredSize)
  return { entries: newest.size - anchoredSize, since: (oldest ?? newest).publishedAt.toISOString() }
}
