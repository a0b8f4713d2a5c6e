import { type Static, Type } from 'typebox'
import { CompactJws, Did, Gsrn, Instant, OpaqueId, Sha256Hex } from './atoms.ts'

const closed = { additionalProperties: false } as const

export const credentialTypeBase = 'https://tillit.example/credentials/'

export const PartyRole = Type.Enum(['trust_registrar', 'utility', 'eligible_party', 'auditor'])
export type PartyRole = Static<typeof PartyRole>

/** The claims that each credential type adds to iss, iat, exp, vct, cnf and status. */
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
export const MeteringPointEntitlementClaims = Type.Object(
  { gsrn: Gsrn, metering_point: OpaqueId('mp'), role: Type.Enum(['holder', 'co-occupant']), from: Instant },
  { $id: 'MeteringPointEntitlementClaims', ...closed },
)
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
  'ConsentReceipt',
  'RevocationReceipt',
])
export type CredentialType = Static<typeof CredentialType>

/** The registrar accredits an organisation. */
export const Accreditation = Type.Object({ did: Did, claims: OrganisationClaims }, { $id: 'Accreditation', ...closed })
export type Accreditation = Static<typeof Accreditation>

export const Party = Type.Object(
  {
    did: Did,
    name: Type.String(),
    registration_number: Type.String(),
    country: Type.String(),
    roles: Type.Array(PartyRole),
    purposes: Type.Array(Type.String()),
    status: Type.Enum(['APPLIED', 'VETTED', 'ACTIVE', 'SUSPENDED', 'REMOVED']),
    credential: Type.Union([Type.Null(), Type.String({ description: 'OrganisationCredential, SD-JWT VC' })]),
  },
  { $id: 'Party', ...closed },
)
export type Party = Static<typeof Party>

/** Shape of an OpenID4VCI 1.0 credential request with jwt proofs. */
export const CredentialRequest = Type.Object(
  {
    credential_configuration_id: CredentialType,
    proofs: Type.Object({ jwt: Type.Array(CompactJws, { minItems: 1, maxItems: 1 }) }, closed),
  },
  { $id: 'CredentialRequest', ...closed },
)
export const CredentialResponse = Type.Object(
  { credentials: Type.Array(Type.Object({ credential: Type.String() }, closed)) },
  { $id: 'CredentialResponse', ...closed },
)
export const NonceResponse = Type.Object({ c_nonce: Type.String() }, { $id: 'NonceResponse', ...closed })

/** What happened to a credential, as the log holds it. It names no holder. */
export const StatusEvent = Type.Object(
  {
    credential: OpaqueId('cred'),
    type: CredentialType,
    issuer: Did,
    status_list: Type.String({ format: 'uri' }),
    status_index: Type.Integer({ minimum: 0 }),
    at: Instant,
    event: Type.Enum(['issued', 'suspended', 'reinstated', 'revoked']),
    actor: Did,
    sha256: Type.Optional(Sha256Hex),
  },
  { $id: 'StatusEvent', ...closed },
)
export type StatusEvent = Static<typeof StatusEvent>

export const StatusEventList = Type.Object(
  { events: Type.Array(Type.Object({ seq: Type.Integer({ minimum: 1 }), entry: StatusEvent }, closed)) },
  { $id: 'StatusEventList', ...closed },
)
export type StatusEventList = Static<typeof StatusEventList>

/** The verify route: any credential or DID-signed JWT, and what it turned out to be. */
export const VerificationRequest = Type.Object(
  { credential: Type.String({ maxLength: 262144 }) },
  { $id: 'VerificationRequest', ...closed },
)
export const VerificationResult = Type.Object(
  {
    verified: Type.Boolean(),
    format: Type.Enum(['dc+sd-jwt', 'jwt']),
    issuer: Did,
    type: Type.Union([Type.Null(), Type.String()]),
    trusted: Type.Boolean({ description: 'The chain of accreditations ends at the root of this city' }),
    status: Type.Enum(['valid', 'revoked', 'suspended', 'none']),
    claims: Type.Record(Type.String(), Type.Unknown()),
  },
  { $id: 'VerificationResult', ...closed },
)
export type VerificationResult = Static<typeof VerificationResult>
