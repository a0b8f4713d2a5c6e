import { type Static, Type } from 'typebox'
import { Did, Instant, OpaqueId } from './atoms.ts'
import { CredentialType } from './credential-claims.ts'

const closed = { additionalProperties: false } as const

const QueryId = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' })

/** OpenID4VP 1.0 section 6.3. A path leads into the claims of the credential (section 7). */
const ClaimsQuery = Type.Object(
  {
    id: Type.Optional(QueryId),
    path: Type.Array(
      Type.Union([Type.String({ minLength: 1, maxLength: 128 }), Type.Integer({ minimum: 0 }), Type.Null()]),
      {
        minItems: 1,
        maxItems: 8,
      },
    ),
    values: Type.Optional(
      Type.Array(Type.Union([Type.String({ maxLength: 1024 }), Type.Integer(), Type.Boolean()]), {
        minItems: 1,
        maxItems: 64,
      }),
    ),
  },
  closed,
)

const queryMembers = {
  id: QueryId,
  multiple: Type.Optional(Type.Boolean()),
  require_cryptographic_holder_binding: Type.Optional(Type.Literal(true)),
  claims: Type.Optional(Type.Array(ClaimsQuery, { minItems: 1, maxItems: 32 })),
  claim_sets: Type.Optional(
    Type.Array(Type.Array(QueryId, { minItems: 1, maxItems: 32 }), { minItems: 1, maxItems: 16 }),
  ),
}
const TypeName = Type.String({ format: 'uri', maxLength: 256 })

/**
 * OpenID4VP 1.0 section 6.1, as far as this city verifies it: a proof by the holder is always asked for. Types are named by
 * `vct` or by their IRI in the vocabulary.
 */
export const CredentialQuery = Type.Union([
  Type.Object(
    {
      ...queryMembers,
      format: Type.Literal('dc+sd-jwt'),
      meta: Type.Object({ vct_values: Type.Array(TypeName, { minItems: 1, maxItems: 16 }) }, closed),
    },
    closed,
  ),
  Type.Object(
    {
      ...queryMembers,
      format: Type.Literal('jwt_vc_json', { description: 'A vp+jwt with one vc+jwt in it, shown whole' }),
      meta: Type.Object(
        {
          type_values: Type.Array(Type.Array(TypeName, { minItems: 1, maxItems: 4 }), { minItems: 1, maxItems: 16 }),
        },
        closed,
      ),
    },
    closed,
  ),
])
export type CredentialQuery = Static<typeof CredentialQuery>

/** Digital Credentials Query Language, OpenID4VP 1.0 section 6. */
export const DcqlQuery = Type.Object(
  {
    credentials: Type.Array(CredentialQuery, { minItems: 1, maxItems: 8 }),
    credential_sets: Type.Optional(
      Type.Array(
        Type.Object(
          {
            options: Type.Array(Type.Array(QueryId, { minItems: 1, maxItems: 8 }), { minItems: 1, maxItems: 16 }),
            required: Type.Optional(Type.Boolean()),
          },
          closed,
        ),
        { minItems: 1, maxItems: 8 },
      ),
    ),
  },
  { $id: 'DcqlQuery', ...closed },
)
export type DcqlQuery = Static<typeof DcqlQuery>

/** Questions that need no query of one's own. */
export const PresentationPreset = Type.Union([
  Type.Object(
    { name: Type.Literal('may-act-for-metering-point'), metering_point: OpaqueId('mp') },
    { description: 'Is the holder entitled to this metering point?', ...closed },
  ),
  Type.Object(
    { name: Type.Literal('is-accredited-organisation') },
    { description: 'Is the holder an organisation that the registrar has accredited, and as what?', ...closed },
  ),
])
export type PresentationPreset = Static<typeof PresentationPreset>

/** OpenID4VP 1.0 section 5.1: an object that the holder authorises. What it holds beside these belongs to its type. */
export const TransactionData = Type.Object({
  type: Type.String({ minLength: 1, maxLength: 256 }),
  credential_ids: Type.Array(QueryId, { minItems: 1, maxItems: 8, uniqueItems: true }),
})
export type TransactionData = Static<typeof TransactionData>

/** An organisation asks a holder for a presentation. One of `query` and `preset`. */
export const PresentationRequest = Type.Object(
  {
    purpose: Type.String({ minLength: 1, maxLength: 300, description: 'Why, in words for the holder' }),
    query: Type.Optional(DcqlQuery),
    preset: Type.Optional(PresentationPreset),
    transaction_data: Type.Optional(Type.Array(TransactionData, { minItems: 1, maxItems: 8 })),
    flow: Type.Optional(
      Type.Enum(['same-device', 'cross-device'], { description: 'Where the wallet is; cross-device if left out' }),
    ),
    redirect_uri: Type.Optional(
      Type.String({
        format: 'uri',
        maxLength: 2048,
        description: 'Same-device only: where the wallet sends the holder afterwards; a response_code is added',
      }),
    ),
    response_mode: Type.Optional(
      Type.Enum(['direct_post.jwt', 'direct_post'], { description: 'direct_post.jwt (encrypted) if left out' }),
    ),
    client_id_prefix: Type.Optional(
      Type.Enum(['decentralized_identifier', 'x509_hash'], {
        description: 'By what the wallet knows the verifier; decentralized_identifier if left out',
      }),
    ),
    wallet_endpoint: Type.Optional(
      Type.String({ format: 'uri', maxLength: 2048, description: 'Authorization endpoint of a web wallet' }),
    ),
    expires_in: Type.Optional(Type.Integer({ minimum: 30, maximum: 900, description: 'Seconds; 300 if left out' })),
    keep_result: Type.Optional(
      Type.Integer({ minimum: 10, maximum: 3600, description: 'Seconds until the result is deleted; 600 if left out' }),
    ),
  },
  { $id: 'PresentationRequest', ...closed },
)
export type PresentationRequest = Static<typeof PresentationRequest>

/** One credential that was presented and verified, with the claims that were asked for and nothing else. */
export const ProvenCredential = Type.Object(
  {
    query: QueryId,
    format: Type.Enum(['dc+sd-jwt', 'jwt_vc_json']),
    type: CredentialType,
    issuer: Did,
    issued_at: Instant,
    expires_at: Type.Union([Type.Null(), Instant]),
    claims: Type.Record(Type.String(), Type.Unknown()),
    transactions: Type.Array(Type.Integer({ minimum: 0 }), {
      description: 'Which entries of transaction_data its holder signed',
    }),
    presentation: Type.Optional(
      Type.String({ description: 'The presentation itself, where it is the evidence of a transaction' }),
    ),
  },
  closed,
)

/** A presentation that was asked for, as its asker sees it. */
export const Presentation = Type.Object(
  {
    id: OpaqueId('vp'),
    state: Type.Enum(['requested', 'fetched', 'proved', 'refused', 'declined', 'expired']),
    purpose: Type.String(),
    flow: Type.Enum(['same-device', 'cross-device']),
    client_id: Type.String(),
    expires_at: Instant,
    delete_at: Instant,
    request: Type.Optional(
      Type.Object(
        {
          request_uri: Type.String({ format: 'uri' }),
          links: Type.Object(
            {
              openid4vp: Type.String(),
              haip_vp: Type.Optional(Type.String({ description: 'Where the verifier is known by a certificate' })),
              https: Type.Optional(Type.String({ description: 'Through the web wallet that was named' })),
            },
            closed,
          ),
          qr: Type.String({ format: 'uri', description: 'The openid4vp link as a QR code (SVG)' }),
        },
        { description: 'What a wallet needs, while it is awaited', ...closed },
      ),
    ),
    credentials: Type.Optional(Type.Array(ProvenCredential)),
    error: Type.Optional(
      Type.Object(
        {
          error: Type.String({ description: 'What the wallet said, or the code of what does not verify' }),
          error_description: Type.Optional(Type.String()),
        },
        closed,
      ),
    ),
  },
  { $id: 'Presentation', ...closed },
)
export type Presentation = Static<typeof Presentation>
