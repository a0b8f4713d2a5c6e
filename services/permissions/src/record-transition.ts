import { commit, saltBytes } from '@tillit/log'
import { nextPermissionState, type PermissionEventName } from '@tillit/policy'
import type { PermissionEvent } from '@tillit/schemas'
import type { PermissionsPorts } from './ports.ts'
import type { Writer } from './store.ts'
import type { PermissionRow } from './tables.ts'

export interface Transition {
  event: PermissionEventName
  /** `customer`, the DID of a party, or `tillit`: never an id of the customer, because the party reads events too. */
  actor: string
  reason?: string
  evidenceSha256?: string
  at: Date
  change?: Parameters<Writer['updatePermission']>[1]
}

/**
 * Moves a locked permission on and writes the event with its commitment, in the caller's transaction. Gives the permission
 * as it is now. Throws Problem invalid-transition.
 */
export async function recordTransition(
  writer: Writer,
  permission: PermissionRow,
  { event, actor, reason, evidenceSha256, at, change = {} }: Transition,
  randomBytes: PermissionsPorts['randomBytes'],
): Promise<PermissionRow> {
  const state = nextPermissionState(permission.state, event)
  await writer.updatePermission(permission.id, { ...change, state, changed_at: at })
  await recordEvent(
    writer,
    {
      permission: permission.id,
      from: permission.state,
      to: state,
      event,
      actor,
      reason: reason ?? null,
      at: at.toISOString(),
      evidence_sha256: evidenceSha256 ?? null,
    },
    randomBytes,
  )
  const { scope, ...columns } = change
  return {
    ...permission,
    ...columns,
    ...(scope === undefined ? {} : { scope: JSON.parse(scope) }),
    state,
    changed_at: at,
  }
}

export async function recordEvent(
  writer: Writer,
  event: Omit<PermissionEvent, 'seq'>,
  randomBytes: PermissionsPorts['randomBytes'],
): Promise<void> {
  const seq = (await writer.lastSeq(event.permission)) + 1
  const entry: PermissionEvent = { ...event, seq }
  const salt = randomBytes(saltBytes)
  await writer.insertEvent({
    permission_id: event.permission,
    seq,
    entry,
    salt: Buffer.from(salt),
    commitment: Buffer.from(commit(salt, entry)),
  })
}
