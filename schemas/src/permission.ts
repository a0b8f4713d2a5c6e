import { type Static, Type } from 'typebox'
import { CompactJws, Did, Gsrn, Instant, OpaqueId, Sha256Hex } from './atoms.ts'
import { Scope } from './scope.ts'

const closed = { additionalProperties: false } as const

export const PermissionState = Type.Enum([
  'CREATED',
  'VALIDATED',
  'MALFORMED',
  'UNABLE_TO_SEND',
  'SENT_TO_PERMISSION_ADMINISTRATOR',
  'AWAITING_CO_APPROVAL',
  'ACCEPTED',
  'WAITING_FOR_START',
  'ACTIVE',
  'SUSPENDED',
  'REJECTED',
  'TIMED_OUT',
  'INVALID',
  'REVOKED',
  'TERMINATED',
  'FULFILLED',
  'EXPIRED',
  'INVALIDATED',
  'SUPERSEDED',
  'UNFULFILLABLE',
])
export type PermissionState = Static<typeof PermissionState>

export const SuspensionReason = Type.Enum(['CUSTOMER_PAUSE', 'RESTRICTION', 'PARTY_SUSPENDED', 'INCIDENT'])
export type SuspensionReason = Static<typeof SuspensionReason>

/** An eligible party asks for data of one metering point. */
export const PermissionRequest = Type.Object({ scope: Scope }, { $id: 'PermissionRequest', ...closed })
export type PermissionRequest = Static<typeof PermissionRequest>

export const PermissionParty = Type.Object({ did: Did, name: Type.String() }, closed)

/** A permission as its party and its customer see it. */
export const Permission = Type.Object(
  {
    id: OpaqueId('perm'),
    state: PermissionState,
    status: Type.String({ description: 'EDDIE PermissionProcessStatus' }),
    version: Type.Integer(),
    party: PermissionParty,
    party_key: Type.String({ description: 'JWK thumbprint (RFC 7638) of the key that may delegate' }),
    metering_point: Type.Union([Type.Null(), OpaqueId('mp')]),
    requested_scope: Scope,
    requested_scope_digest: Sha256Hex,
    scope: Type.Union([Type.Null(), Scope]),
    statement: Type.Union([Type.Null(), CompactJws], {
      description: 'The signed acceptance: root of every delegation chain',
    }),
    created_at: Instant,
    changed_at: Instant,
  },
  { $id: 'Permission', ...closed },
)
export type Permission = Static<typeof Permission>

export const PermissionList = Type.Object(
  { permissions: Type.Array(Permission), next: Type.Optional(Type.String()) },
  { $id: 'PermissionList', ...closed },
)

/** A statement signed by the customer's own key: acceptance (dlg+jwt), rejection or revocation (tillit-statement+jwt). */
export const SignedStatement = Type.Object({ statement: CompactJws }, { $id: 'SignedStatement', ...closed })
export type SignedStatement = Static<typeof SignedStatement>

/** The claims of one hop of a delegation chain (JWS, `typ: dlg+jwt`). The root hop is the customer's acceptance. */
export const DelegationClaims = Type.Object(
  {
    iss: Did,
    sub: Did,
    aud: Did,
    jti: Type.String({ maxLength: 128 }),
    iat: Type.Integer(),
    nbf: Type.Integer(),
    exp: Type.Integer(),
    cnf: Type.Object({ jkt: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }) }, closed),
    prv: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'SHA-256 of the parent as sent' })),
    dep: Type.Integer({ minimum: 0, maximum: 7 }),
    authorization_details: Type.Array(Scope, { minItems: 1, maxItems: 1 }),
    status: Type.Optional(Type.String({ description: 'Where the status of the delegation is asked' })),
    notice: Type.Optional(
      Type.Object({ version: Type.String(), locale: Type.String(), scope_digest: Sha256Hex }, closed),
    ),
  },
  { $id: 'DelegationClaims', ...closed },
)
export type DelegationClaims = Static<typeof DelegationClaims>

/** The claims of a rejection or revocation (JWS, `typ: tillit-statement+jwt`). */
export const StatementClaims = Type.Object(
  {
    iss: Did,
    aud: Did,
    iat: Type.Integer(),
    jti: Type.String({ minLength: 16, maxLength: 128 }),
    permission: OpaqueId('perm'),
    action: Type.Enum(['reject', 'revoke']),
  },
  { $id: 'StatementClaims', ...closed },
)
export type StatementClaims = Static<typeof StatementClaims>

/** Binds a wallet key to the signed-in customer (JWS, `typ: tillit-key-binding+jwt`, signed by the key itself). */
export const KeyBindingClaims = Type.Object(
  { iss: Did, sub: Type.String(), aud: Did, iat: Type.Integer(), jti: Type.String({ minLength: 16, maxLength: 128 }) },
  { $id: 'KeyBindingClaims', ...closed },
)
export type KeyBindingClaims = Static<typeof KeyBindingClaims>

/** A delegation to register: the whole chain, root first. */
export const DelegationRegistration = Type.Object(
  { chain: Type.Array(CompactJws, { minItems: 2, maxItems: 8 }) },
  { $id: 'DelegationRegistration', ...closed },
)
export type DelegationRegistration = Static<typeof DelegationRegistration>

export const PermissionEvent = Type.Object(
  {
    permission: OpaqueId('perm'),
    seq: Type.Integer(),
    from: Type.Union([Type.Null(), PermissionState]),
    to: PermissionState,
    event: Type.String(),
    actor: Type.String(),
    reason: Type.Union([Type.Null(), Type.String()]),
    at: Instant,
    evidence_sha256: Type.Union([Type.Null(), Sha256Hex]),
  },
  { $id: 'PermissionEvent', ...closed },
)
export type PermissionEvent = Static<typeof PermissionEvent>

/** What the operator answers a revocation: enforced when this is sent. */
export const Acknowledgement = Type.Object(
  {
    permission: Permission,
    enforced_at: Type.Union([Type.Null(), Instant]),
    receipt: Type.Union([Type.Null(), Type.String({ description: 'SD-JWT VC: ConsentReceipt or RevocationReceipt' })]),
  },
  { $id: 'Acknowledgement', ...closed },
)
export type Acknowledgement = Static<typeof Acknowledgement>

export const GsrnReference = Type.Object({ gsrn: Gsrn }, closed)
