import { addLife, isAccepted, parseLife } from '@tillit/policy'
import type { PermissionsPorts } from './ports.ts'
import { recordTransition, type Transition } from './record-transition.ts'
import type { Writer } from './store.ts'
import type { PermissionRow } from './tables.ts'

/**
 * Ends a locked permission. When data may have flowed under it, everyone who could receive it gets the duty to delete it,
 * due when the scope's `delete_after` has passed.
 */
export async function endPermission(
  writer: Writer,
  permission: PermissionRow,
  transition: Transition,
  randomBytes: PermissionsPorts['randomBytes'],
): Promise<PermissionRow> {
  if (permission.scope !== null && isAccepted(permission.state)) {
    const dueAt = addLife(transition.at, parseLife(permission.scope.delete_after))
    const recipients = await writer.listRecipients(permission.id)
    await writer.insertErasure(
      recipients.map((recipient) => ({
        permission_id: permission.id,
        recipient_did: recipient,
        due_at: dueAt,
        recorded_at: transition.at,
        fulfilled_at: null,
      })),
    )
  }
  return recordTransition(writer, permission, transition, randomBytes)
}
