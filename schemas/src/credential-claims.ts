import { type Static, Type } from 'typebox'
import { Did, Gsrn, Instant, OpaqueId } from './atoms.ts'
import { Scope } from './scope.ts'

const closed = { additionalProperties: false } as const

export const credentialTypeBase = 'https://tillit.example/credentials/'

export const PartyRole = Type.Enum(['trust_registrar', 'utility', 'eligible_party', 'auditor'])
export type PartyRole = Static<typeof PartyRole>

/** What each credential type says, in every format; who issued it, when, to whom and its status stand beside it. */
export const OrganisationClaims = Type.Object(
  {
    legal_name: Type.String({ minLength: 1, maxLength: 200 }),
    registration_number: Type.String({ minLength: 1, maxLength: 64 }),
    country: Type.String({ pattern: '^[A-Z]{2}$' }),
    roles: Type.Array(PartyRole, { minItems: 1, uniqueItems: true }),
    purposes: Type.Array(Type.String({ maxLength: 64 }), { uniqueItems: true }),
  },
  { $id: 'OrganisationClaims', ...closed },
)
export type OrganisationClaims = Static<typeof OrganisationClaims>

export const MeterDeviceClaims = Type.Object(
  { model: Type.String(), serial: Type.String(), metering_point: OpaqueId('mp') },
  { $id: 'MeterDeviceClaims', ...closed },
)
export type MeterDeviceClaims = Static<typeof MeterDeviceClaims>

export const MeteringPointEntitlementClaims = Type.Object(
  { gsrn: Gsrn, metering_point: OpaqueId('mp'), role: Type.Enum(['holder', 'co-occupant']), from: Instant },
  { $id: 'MeteringPointEntitlementClaims', ...closed },
)
export type MeteringPointEntitlementClaims = Static<typeof MeteringPointEntitlementClaims>

/** A guardian, a proxy, or somebody who acts for an organisation. */
export const RepresentationRole = Type.Enum(['guardian', 'proxy', 'company-representative', 'critical-data-approver'])
export type RepresentationRole = Static<typeof RepresentationRole>

/** What a representative may do in the name of whom they act for. */
export const RepresentationPower = Type.Enum(['read', 'consent', 'revoke', 'approve-critical-data'])
export type RepresentationPower = Static<typeof RepresentationPower>

/** May act for whom, as what, in what. Without `metering_point` it holds for all that the represented one has. */
export const RepresentationClaims = Type.Object(
  {
    represents: Type.Union([Did, OpaqueId('cust')], { description: 'The DID, or the opaque id of a customer' }),
    role: RepresentationRole,
    powers: Type.Array(RepresentationPower, { minItems: 1, uniqueItems: true }),
    metering_point: Type.Optional(OpaqueId('mp')),
    from: Instant,
  },
  { $id: 'RepresentationClaims', ...closed },
)
export type RepresentationClaims = Static<typeof RepresentationClaims>

export const PermissionClaims = Type.Object(
  { permission: OpaqueId('perm'), version: Type.Integer({ minimum: 1 }), scope: Scope, expires: Instant },
  { $id: 'PermissionClaims', ...closed },
)
export type PermissionClaims = Static<typeof PermissionClaims>

/** A permission passed on. `parent` is the hop that this one rests on, `depth` how often it may be passed on further. */
export const DelegationCredentialClaims = Type.Object(
  {
    permission: OpaqueId('perm'),
    parent: Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      description: 'SHA-256 of the parent hop as sent, base64url',
    }),
    delegator: Did,
    scope: Scope,
    depth: Type.Integer({ minimum: 0, maximum: 7 }),
    expires: Instant,
  },
  { $id: 'DelegationCredentialClaims', ...closed },
)
export type DelegationCredentialClaims = Static<typeof DelegationCredentialClaims>

/** ISO/IEC TS 27560 fields in W3C DPV terms. */
export const ConsentReceiptClaims = Type.Object(
  {
    record_id: OpaqueId('perm'),
    schema_version: Type.Literal('ISO-IEC-TS-27560:2023'),
    controller: Did,
    recipient: Did,
    legal_basis: Type.String(),
    purposes: Type.Array(Type.String()),
    scope_digest: Type.String(),
    statement_sha256: Type.String(),
    given_at: Instant,
    expires: Instant,
    withdrawal: Type.String({ description: 'How to withdraw' }),
  },
  { $id: 'ConsentReceiptClaims', ...closed },
)
export type ConsentReceiptClaims = Static<typeof ConsentReceiptClaims>

export const RevocationReceiptClaims = Type.Object(
  {
    record_id: OpaqueId('perm'),
    enforced_at: Instant,
    statement_sha256: Type.String(),
    recipients_told: Type.Array(Did),
  },
  { $id: 'RevocationReceiptClaims', ...closed },
)
export type RevocationReceiptClaims = Static<typeof RevocationReceiptClaims>

export const CredentialType = Type.Enum([
  'OrganisationCredential',
  'MeterDeviceCredential',
  'MeteringPointEntitlement',
  'RepresentationCredential',
  'PermissionCredential',
  'DelegationCredential',
  'ConsentReceipt',
  'RevocationReceipt',
])
export type CredentialType = Static<typeof CredentialType>
