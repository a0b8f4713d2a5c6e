import { eddieStatus } from '@tillit/policy'
import type { Permission } from '@tillit/schemas'
import type { PermissionRow } from './tables.ts'

/** A permission on the wire. `meteringPointId` only where the reader may know that the metering point exists. */
export function permissionView(row: PermissionRow, meteringPointId: string | null = row.metering_point_id): Permission {
  return {
    id: row.id,
    state: row.state,
    status: eddieStatus(row.state),
    version: row.version,
    party: { did: row.party_did, name: row.party_name },
    party_key: row.party_key,
    metering_point: meteringPointId,
    requested_scope: row.requested_scope,
    requested_scope_digest: row.requested_scope_digest,
    scope: row.scope,
    statement: row.root_statement,
    created_at: row.created_at.toISOString(),
    changed_at: row.changed_at.toISOString(),
  }
}
