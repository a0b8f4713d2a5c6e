import { Did, Instant, OpaqueId, PermissionEvent, PermissionState, PublicJwk, Scope } from '@tillit/schemas'
import { type Static, Type } from 'typebox'
import type { CustomerKeyRow, DelegationRow } from './tables.ts'

const closed = { additionalProperties: false } as const

export const PermissionId = Type.Object({ id: OpaqueId('perm') })
export const EventId = Type.Object({ id: OpaqueId('perm'), seq: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }) })
export const DelegationId = Type.Object({ jti: Type.String({ minLength: 1, maxLength: 128 }) })

export const PermissionQuery = Type.Object(
  {
    state: Type.Optional(PermissionState),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    cursor: Type.Optional(Type.String({ maxLength: 256 })),
  },
  closed,
)

export const PermissionEventList = Type.Object(
  { events: Type.Array(PermissionEvent) },
  { $id: 'PermissionEventList', ...closed },
)

/** A key that was bound to the customer's wallet. */
export const WalletKey = Type.Object(
  { did: Did, jwk: PublicJwk, valid_from: Instant, valid_to: Type.Union([Type.Null(), Instant]) },
  { $id: 'WalletKey', ...closed },
)
export type WalletKey = Static<typeof WalletKey>
export const WalletKeyList = Type.Object({ keys: Type.Array(WalletKey) }, { $id: 'WalletKeyList', ...closed })

/** A registered delegation, as both its sides see it. */
export const Delegation = Type.Object(
  {
    jti: Type.String(),
    permission: OpaqueId('perm'),
    delegator: Did,
    delegatee: Did,
    scope: Scope,
    expires: Instant,
    revoked: Type.Boolean(),
    chain: Type.Array(Type.String()),
  },
  { $id: 'Delegation', ...closed },
)
export type Delegation = Static<typeof Delegation>
export const DelegationList = Type.Object({ delegations: Type.Array(Delegation) }, { $id: 'DelegationList', ...closed })

export function walletKeyView({ did, jwk, valid_from, valid_to }: CustomerKeyRow): WalletKey {
  return { did, jwk, valid_from: valid_from.toISOString(), valid_to: valid_to?.toISOString() ?? null }
}

export function delegationView(row: DelegationRow, revoked: boolean): Delegation {
  return {
    jti: row.jti,
    permission: row.permission_id,
    delegator: row.delegator_did,
    delegatee: row.delegatee_did,
    scope: row.scope,
    expires: row.expires_at.toISOString(),
    revoked,
    chain: row.chain,
  }
}
