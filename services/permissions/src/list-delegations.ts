import type { Caller } from '@tillit/http'
import type { PermissionsPorts } from './ports.ts'
import { readPermission } from './read-permissions.ts'
import type { Store } from './store.ts'
import { type Delegation, delegationView } from './wire.ts'

/** The customer and the party see every delegation of a permission, a delegatee those it stands in. Throws Problem not-found. */
export async function listDelegations(
  permissionId: string,
  { store, ports, caller }: { store: Store; ports: PermissionsPorts; caller: Caller },
): Promise<Delegation[]> {
  const permission = await readPermission(permissionId, { store, caller, now: ports.now() })
  const all = await store.listDelegations(permissionId)
  const seesAll = caller.kind === 'customer' || permission.party.did === caller.id
  const seen = all.filter((row) => seesAll || row.delegator_did === caller.id || row.delegatee_did === caller.id)
  return Promise.all(seen.map(async (row) => delegationView(row, await store.isRevoked(row.hop_digests))))
}
