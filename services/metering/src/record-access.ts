import { encodeId, idBytes, sha256, toHex } from '@tillit/codec'
import { commit, saltBytes } from '@tillit/log'
import type { Decision } from '@tillit/policy'
import type { AccessRecord } from '@tillit/schemas'
import type { MeteringPorts } from './ports.ts'
import type { Store } from './store.ts'

/** A new record's id, known before the record so that the response can name it. */
export function newRecordId({ randomBytes }: MeteringPorts): AccessRecord['id'] {
  return encodeId('ar', randomBytes(idBytes))
}

/** Writes the record of a decision and its leaf, in the transaction that read the data. `released` null: nothing was. */
export async function recordAccess(
  store: Store,
  { randomBytes }: MeteringPorts,
  access: {
    id: string
    at: Date
    pointId: string
    caller: { kind: string; id: string; name: string }
    period: { from: Date; to: Date }
    decision: Decision
    granularity: string | null
    released: { values: number; body: Uint8Array } | null
  },
): Promise<void> {
  const { id, at, pointId, caller, period, decision, granularity, released } = access
  const entry: AccessRecord = {
    id,
    at: at.toISOString(),
    metering_point: pointId,
    caller: caller.kind === 'customer' ? 'customer' : caller.id,
    caller_name: caller.name,
    decision: decision.decision,
    reason: decision.reason.customer,
    reason_code: decision.reasonCode,
    authority: decision.authority,
    determined_by: decision.determinedBy,
    from: period.from.toISOString(),
    to: period.to.toISOString(),
    granularity,
    values: released?.values ?? 0,
    response_sha256: released === null ? null : toHex(sha256(released.body)),
  }
  const salt = randomBytes(saltBytes)
  await store.addAccessRecord({
    ...{ id, at, metering_point_id: pointId, caller_id: caller.id, data_from: period.from, data_to: period.to, entry },
    ...{ salt: Buffer.from(salt), commitment: Buffer.from(commit(salt, entry)) },
  })
}
