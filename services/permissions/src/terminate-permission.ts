import { Problem } from '@tillit/problem'
import { endPermission } from './end-permission.ts'
import type { PermissionsContext } from './ports.ts'
import { withoutReaders } from './revoke-permission.ts'
import type { PermissionRow } from './tables.ts'

/** The party gives up its request or its permission; doing so again changes nothing. Throws Problem not-found, invalid-transition. */
export async function terminatePermission(
  { permissionId, partyDid }: { permissionId: string; partyDid: string },
  { store, ports }: PermissionsContext,
): Promise<PermissionRow> {
  const permission = await store.findPermission(permissionId)
  if (!permission || permission.party_did !== partyDid) throw new Problem('not-found')
  if (permission.state === 'TERMINATED') return permission
  return withoutReaders(store, permissionId, async (writer) => {
    const locked = await writer.lockPermission(permissionId)
    if (!locked) throw new Problem('not-found')
    const transition = { event: 'terminated', actor: partyDid, at: ports.now() } as const
    return endPermission(writer, locked, transition, ports.randomBytes)
  })
}
