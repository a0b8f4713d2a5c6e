import { toHex } from '@tillit/codec'
import type { AnchorRecord } from '@tillit/ledger'
import type { AnchorEvidence } from '@tillit/schemas'

/** The wire form of an anchor. */
export function anchorEvidence(record: AnchorRecord): AnchorEvidence {
  return {
    chain_id: record.chainId,
    contract: record.contract,
    transaction: record.transaction,
    block_number: record.blockNumber,
    size: record.size,
    root: toHex(record.root),
    anchored_at: record.anchoredAt.toISOString(),
  }
}
