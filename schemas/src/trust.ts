import { type Static, Type } from 'typebox'
import { CompactJws, Did, Instant, OpaqueId } from './atoms.ts'
import { PartyRole } from './credential-claims.ts'
import { Opening } from './log.ts'

const closed = { additionalProperties: false } as const

/** IETF Token Status List, section 9.3. */
export const StatusListAggregation = Type.Object(
  { status_lists: Type.Array(Type.String({ format: 'uri' })) },
  { $id: 'StatusListAggregation', ...closed },
)

/** Who may issue a type of credential now. */
export const IssuerList = Type.Object(
  {
    issuers: Type.Array(Did),
    next: Type.Optional(Type.String({ description: 'Pass as after' })),
  },
  { $id: 'IssuerList', ...closed },
)

/** What the registrar decided about an organisation, the oldest first. */
export const AccreditationHistory = Type.Object(
  {
    events: Type.Array(
      Type.Object(
        {
          seq: Type.Integer({ minimum: 1 }),
          event: Type.Enum(['accredited', 'suspended', 'reinstated', 'removed']),
          actor: Did,
          at: Instant,
          credential: Type.Union([Type.Null(), OpaqueId('cred')]),
          roles: Type.Optional(Type.Array(PartyRole)),
          purposes: Type.Optional(Type.Array(Type.String())),
        },
        closed,
      ),
    ),
    next: Type.Optional(Type.Integer({ description: 'Pass as after' })),
  },
  { $id: 'AccreditationHistory', ...closed },
)
export type AccreditationHistory = Static<typeof AccreditationHistory>

/** Authorization query of the ToIP Trust Registry Query Protocol 2.0. Members that are not known are ignored, as it says. */
export const TrustQuery = Type.Object(
  {
    entity_id: Did,
    authority_id: Did,
    action: Type.String({
      maxLength: 64,
      description: 'issue (a credential type), act-as (a role) or process-for (a purpose)',
    }),
    resource: Type.String({ maxLength: 200 }),
    context: Type.Optional(Type.Object({ time: Type.Optional(Instant) })),
  },
  { $id: 'TrustQuery' },
)
export type TrustQuery = Static<typeof TrustQuery>

export const TrustAnswer = Type.Object(
  {
    entity_id: Did,
    authority_id: Did,
    action: Type.String(),
    resource: Type.String(),
    authorized: Type.Boolean(),
    time_requested: Type.Optional(Instant),
    time_evaluated: Instant,
    message: Type.String(),
  },
  { $id: 'TrustAnswer', ...closed },
)
export type TrustAnswer = Static<typeof TrustAnswer>

/** Signed by the controller of the DID, or by the registrar (`key-compromise+jwt`). */
export const KeyCompromiseReport = Type.Object({ statement: CompactJws }, { $id: 'KeyCompromiseReport', ...closed })

export const CompromisedKeyRecord = Type.Object(
  {
    did: Did,
    jkt: Type.String({ description: 'RFC 7638 thumbprint' }),
    stated_by: Did,
    at: Instant,
    statement: CompactJws,
    opening: Opening,
  },
  { $id: 'CompromisedKeyRecord', ...closed },
)
export type CompromisedKeyRecord = Static<typeof CompromisedKeyRecord>

export const CompromisedKeyList = Type.Object(
  { keys: Type.Array(CompromisedKeyRecord) },
  { $id: 'CompromisedKeyList', ...closed },
)
