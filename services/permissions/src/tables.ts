import type { PermissionEvent, PermissionState, PublicJwk, Scope } from '@tillit/schemas'
import type { ColumnType, Selectable } from 'kysely'

/** jsonb: parsed when read, written as text because the driver would take an array for a PostgreSQL array. */
type Jsonb<T> = ColumnType<T, string, string>

interface PermissionsTable {
  id: string
  state: PermissionState
  version: number
  party_did: string
  party_name: string
  party_key: string
  gsrn: string
  requested_scope: Jsonb<Scope>
  requested_scope_digest: string
  metering_point_id: string | null
  customer_id: string | null
  scope: Jsonb<Scope> | null
  root_statement: string | null
  wallet_did: string | null
  starts_at: Date | null
  expires_at: Date | null
  times_out_at: Date
  created_at: Date
  changed_at: Date
}

export interface PermissionsTables {
  'permissions.permissions': PermissionsTable
  'permissions.permission_events': {
    permission_id: string
    seq: number
    entry: Jsonb<PermissionEvent>
    salt: Buffer | null
    commitment: Buffer
  }
  'permissions.statements': {
    sha256: string
    permission_id: string
    action: 'accept' | 'reject' | 'revoke'
    customer_id: string
    signer_did: string
    jti: string
    statement: string
    receipt: string | null
    received_at: Date
  }
  'permissions.customer_keys': {
    did: string
    customer_id: string
    jwk: Jsonb<PublicJwk>
    binding: string
    jti: string
    valid_from: Date
    valid_to: Date | null
  }
  'permissions.delegations': {
    chain_digest: string
    permission_id: string
    jti: string
    delegator_did: string
    delegatee_did: string
    hop_digests: string[]
    chain: Jsonb<string[]>
    scope: Jsonb<Scope>
    expires_at: Date
    created_at: Date
  }
  'permissions.delegation_revocations': {
    hop_digest: string
    permission_id: string
    delegator_did: string
    jti: string
    revoked_at: Date
  }
  'permissions.erasure_obligations': {
    permission_id: string
    recipient_did: string
    due_at: Date
    recorded_at: Date
    fulfilled_at: Date | null
  }
  'permissions.idempotency_keys': {
    caller_did: string
    key: string
    request_sha256: string
    permission_id: string
    created_at: Date
  }
  'permissions.path_v1': {
    permission_id: string
    version: number
    state: PermissionState
    party_did: string
    caller_did: string
    metering_point_id: string
    customer_id: string
    scope: Scope
    chain_digest: string
    chain_expires: Date
    delegation_revoked: boolean
    intermediary_dids: string[]
  }
  'credentials.party_v1': {
    did: string
    name: string
    roles: string[]
    purposes: string[]
    status: string
    country: string
  }
  'metering.metering_point_v1': { id: string; gsrn: string; utility_did: string; time_zone: string }
  'metering.entitlement_v1': {
    metering_point_id: string
    customer_id: string
    role: string
    valid_from: Date
    valid_to: Date | null
  }
}

export type PermissionRow = Selectable<PermissionsTables['permissions.permissions']>
export type EventRow = Selectable<PermissionsTables['permissions.permission_events']>
export type StatementRow = Selectable<PermissionsTables['permissions.statements']>
export type CustomerKeyRow = Selectable<PermissionsTables['permissions.customer_keys']>
export type DelegationRow = Selectable<PermissionsTables['permissions.delegations']>
export type PartyRow = Selectable<PermissionsTables['credentials.party_v1']>
export type PathRow = Selectable<PermissionsTables['permissions.path_v1']>
