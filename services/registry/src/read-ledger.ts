import { toHex } from '@tillit/codec'
import { AnchorEvidence, Instant, Sha256Hex } from '@tillit/schemas'
import { type Static, Type } from 'typebox'
import { anchorEvidence } from './anchor-evidence.ts'
import type { AnchorStore } from './anchor-store.ts'
import type { Anchorer } from './anchorer.ts'
import type { LogReader } from './log-store.ts'
import type { RegistryPorts } from './ports.ts'

const closed = { additionalProperties: false } as const

export const LedgerStatus = Type.Object(
  {
    kind: Type.Enum(['evm', 'none']),
    chain_id: Type.Union([Type.Null(), Type.Integer()]),
    contract: Type.Union([Type.Null(), Type.String()]),
    rpc_url: Type.Union([Type.Null(), Type.String()]),
    last_anchor: Type.Union([Type.Null(), AnchorEvidence]),
    latest_checkpoint: Type.Union([
      Type.Null(),
      Type.Object({ size: Type.Integer(), root: Sha256Hex, signed_at: Instant }, closed),
    ]),
    fault: Type.Union([Type.Null(), Type.String()], { description: 'Why the log is not being anchored' }),
    self_witnessed: Type.Literal(true, { description: 'No independent witness cosigns the log' }),
  },
  { $id: 'LedgerStatus', ...closed },
)
export type LedgerStatus = Static<typeof LedgerStatus>

export async function readLedger(parts: {
  log: LogReader
  anchors: AnchorStore
  anchorer: Anchorer
  ports: Pick<RegistryPorts, 'ledger' | 'publicRpcUrl'>
}): Promise<LedgerStatus> {
  const { ledger, fault } = parts.anchorer
  const anchor = await parts.anchors.newest()
  const checkpoint = await parts.log.newestCheckpoint()
  return {
    kind: 'absent' in parts.ports.ledger ? 'none' : 'evm',
    // While the ledger is out of reach, where the last anchor went is where the next one will go.
    chain_id: ledger?.chainId ?? anchor?.chainId ?? null,
    contract: ledger?.contract ?? anchor?.contract ?? null,
    rpc_url: parts.ports.publicRpcUrl,
    last_anchor: anchor === null ? null : anchorEvidence(anchor),
    latest_checkpoint:
      checkpoint === null
        ? null
        : { size: checkpoint.size, root: toHex(checkpoint.root), signed_at: checkpoint.signedAt.toISOString() },
    fault,
    self_witnessed: true,
  }
}
