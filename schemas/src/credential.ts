import { type Static, Type } from 'typebox'
import { Did, Instant, OpaqueId, Sha256Hex } from './atoms.ts'
import { CredentialType, OrganisationClaims, PartyRole } from './credential-claims.ts'

const closed = { additionalProperties: false } as const

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

/** What happened to a credential, as the log holds it. It names no holder. */
export const StatusEvent = Type.Object(
  {
    credential: OpaqueId('cred'),
    type: Type.Union([CredentialType, Type.Literal('VerifiableCredential')], {
      description: 'VerifiableCredential: none of our types',
    }),
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
    format: Type.Enum(['dc+sd-jwt', 'vc+jwt', 'eddsa-jcs-2022', 'jwt']),
    issuer: Did,
    type: Type.Union([Type.Null(), Type.String()]),
    trusted: Type.Boolean({ description: 'The chain of accreditations ends at the root of this city' }),
    status: Type.Enum(['valid', 'revoked', 'suspended', 'none']),
    claims: Type.Record(Type.String(), Type.Unknown()),
  },
  { $id: 'VerificationResult', ...closed },
)
export type VerificationResult = Static<typeof VerificationResult>
