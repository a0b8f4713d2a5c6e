import { isAccepted } from '@tillit/policy'
import { endPermission } from './end-permission.ts'
import type { PermissionsContext, PermissionsPorts } from './ports.ts'
import { recordTransition } from './record-transition.ts'
import type { Writer } from './store.ts'
import type { PermissionRow } from './tables.ts'

const batchSize = 100

/**
 * Writes down what time has done: permissions that begin, expire or time out. Enforcement does not wait for this: every read
 * is decided by the clock. A crash in between leaves whole permissions only; the next run goes on. Gives how many moved.
 */
export async function expirePermissions({ store, ports }: PermissionsContext): Promise<number> {
  const now = ports.now()
  let moved = 0
  for (;;) {
    const due = await store.listDue(now, batchSize)
    for (const id of due) await store.transaction((writer) => moveOn(writer, id, { now, ports }))
    moved += due.length
    if (due.length < batchSize) return moved
  }
}

async function moveOn(
  writer: Writer,
  id: string,
  { now, ports }: { now: Date; ports: PermissionsPorts },
): Promise<PermissionRow | null> {
  const permission = await writer.lockPermission(id)
  if (!permission) return null
  const step = { actor: 'tillit', at: now }
  // Asked again under the lock: somebody may have been quicker.
  if (isAccepted(permission.state) && permission.expires_at !== null && permission.expires_at <= now)
    return endPermission(writer, permission, { ...step, event: 'expired' }, ports.randomBytes)
  if (permission.state === 'WAITING_FOR_START' && permission.starts_at !== null && permission.starts_at <= now)
    return recordTransition(writer, permission, { ...step, event: 'started' }, ports.randomBytes)
  if (isPending(permission) && permission.times_out_at <= now)
    return recordTransition(writer, permission, { ...step, event: 'timed-out' }, ports.randomBytes)
  return null
}

function isPending({ state }: PermissionRow): boolean {
  return state === 'UNABLE_TO_SEND' || state === 'SENT_TO_PERMISSION_ADMINISTRATOR' || state === 'AWAITING_CO_APPROVAL'
}
