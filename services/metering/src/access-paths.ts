import {
  type OwnDataPath,
  type Ownership,
  type PathParty,
  type PermissionPath,
  type PreparedPath,
  preparePath,
} from '@tillit/policy'
import type { PermissionState } from '@tillit/schemas'
import type { OwnershipRow, PathRow, ReadContext } from './read-store.ts'

/** A customer's way to the data of the time in which the point was theirs; none when it never was. */
export function ownPaths({ point, entitlements }: ReadContext, customerId: string): PreparedPath[] {
  const ownership = ownershipOf(entitlements, customerId)
  if (ownership.length === 0) return []
  const path: OwnDataPath = { kind: 'own-data', id: 'own-data', customerId, resource: `gsrn:${point.gsrn}`, ownership }
  return [preparePath(path)]
}

/** The ways that permissions and delegations give a caller, of those that are held against revocation. */
export function permissionPaths(
  { paths, entitlements, parties }: ReadContext,
  held: ReadonlySet<string>,
): PreparedPath[] {
  const known = new Map(parties.map((party) => [party.did, party]))
  const partyOf = (did: string): PathParty => known.get(did) ?? unknownParty(did)
  return paths
    .filter(({ permission_id }) => held.has(permission_id)) // one that came into being after the locks is left for the next read
    .map((row) => preparePath(permissionPath(row, entitlements, partyOf)))
}

function permissionPath(
  row: PathRow,
  entitlements: readonly OwnershipRow[],
  partyOf: (did: string) => PathParty,
): PermissionPath {
  const delegated = row.caller_did !== row.party_did
  return {
    kind: 'permission',
    id: delegated ? `${row.permission_id}#${row.chain_digest}` : row.permission_id,
    permissionId: row.permission_id,
    version: row.version,
    state: row.state as PermissionState,
    partyDid: row.party_did,
    callerDid: row.caller_did,
    parties: (delegated ? [row.party_did, ...row.intermediary_dids, row.caller_did] : [row.party_did]).map(partyOf),
    scope: row.scope,
    expires: row.chain_expires,
    delegationRevoked: row.delegation_revoked,
    ownership: ownershipOf(entitlements, row.customer_id),
  }
}

/** Whom the trust registry does not know may do nothing. */
function unknownParty(did: string): PathParty {
  return { did, status: 'UNKNOWN', roles: [], purposes: [], country: '' }
}

function ownershipOf(entitlements: readonly OwnershipRow[], customerId: string): Ownership[] {
  return entitlements
    .filter(({ customer_id }) => customer_id === customerId)
    .map(({ valid_from, valid_to }) => ({ from: valid_from, to: valid_to }))
}
