import { type OwnDataPath, type Ownership, type PermissionPath, type PreparedPath, preparePath } from '@tillit/policy'
import type { PermissionState } from '@tillit/schemas'
import type { Store } from './store.ts'
import type { EntitlementRow, MeteringPointRow, PathView } from './tables.ts'

/** A customer's way to the data of the time in which the point was theirs; none when it never was. */
export async function ownPaths(store: Store, point: MeteringPointRow, customerId: string): Promise<PreparedPath[]> {
  const ownership = ownershipOf(await store.entitlementsOf(point.id), customerId)
  if (ownership.length === 0) return []
  const path: OwnDataPath = { kind: 'own-data', id: 'own-data', customerId, resource: `gsrn:${point.gsrn}`, ownership }
  return [preparePath(path)]
}

/** The ways that permissions and delegations give a caller, of those that are held against revocation. */
export async function permissionPaths(
  store: Store,
  { pointId, callerDid, held }: { pointId: string; callerDid: string; held: ReadonlySet<string> },
): Promise<PreparedPath[]> {
  // A permission that came into being after the locks were taken is left for the next read.
  const rows = (await store.pathsTo(pointId, callerDid)).filter(({ permission_id }) => held.has(permission_id))
  if (rows.length === 0) return []
  const entitlements = await store.entitlementsOf(pointId)
  const callerStatus = (await store.findParty(callerDid))?.status
  const paths: PreparedPath[] = []
  for (const row of rows) {
    const partyStatus = row.party_did === callerDid ? callerStatus : (await store.findParty(row.party_did))?.status
    paths.push(preparePath(permissionPath(row, entitlements, { partyStatus, callerStatus })))
  }
  return paths
}

function permissionPath(
  row: PathView,
  entitlements: readonly Omit<EntitlementRow, 'id'>[],
  { partyStatus, callerStatus }: { partyStatus: string | undefined; callerStatus: string | undefined },
): PermissionPath {
  const delegated = row.caller_did !== row.party_did
  return {
    kind: 'permission',
    id: delegated ? `${row.permission_id}#${row.chain_digest}` : row.permission_id,
    permissionId: row.permission_id,
    version: row.version,
    state: row.state as PermissionState,
    partyDid: row.party_did,
    partyStatus: partyStatus ?? 'UNKNOWN',
    callerDid: row.caller_did,
    ...(delegated ? { callerStatus: callerStatus ?? 'UNKNOWN' } : {}),
    scope: row.scope,
    expires: row.chain_expires,
    delegationRevoked: row.delegation_revoked,
    ownership: ownershipOf(entitlements, row.customer_id),
  }
}

function ownershipOf(entitlements: readonly Omit<EntitlementRow, 'id'>[], customerId: string): Ownership[] {
  return entitlements
    .filter(({ customer_id }) => customer_id === customerId)
    .map(({ valid_from, valid_to }) => ({ from: valid_from, to: valid_to }))
}
