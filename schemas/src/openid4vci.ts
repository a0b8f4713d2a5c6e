import { type Static, Type } from 'typebox'
import { Did, Instant, OpaqueId } from './atoms.ts'

const closed = { additionalProperties: false } as const

/** Nobody needs more for one credential; a longer array is refused before anything in it is verified. */
export const maxBatchSize = 20

/** A public key on the wire; which keys are taken is decided where it is parsed. */
const Jwk = Type.Record(Type.String(), Type.Unknown())

/** OpenID4VCI 1.0 section 8.2: how the wallet wants the response encrypted. */
export const ResponseEncryption = Type.Object(
  { jwk: Jwk, enc: Type.String({ maxLength: 32 }), zip: Type.Optional(Type.String({ maxLength: 32 })) },
  { $id: 'ResponseEncryption' },
)
export type ResponseEncryption = Static<typeof ResponseEncryption>

/**
 * OpenID4VCI 1.0 section 8.2. Members that are not known are ignored, as it says; proofs are looked at where they are
 * verified, because what is wrong with them has an error code of its own.
 */
export const CredentialRequest = Type.Object(
  {
    credential_configuration_id: Type.Optional(Type.String({ maxLength: 128 })),
    credential_identifier: Type.Optional(Type.String({ maxLength: 256 })),
    proofs: Type.Optional(
      Type.Record(Type.String({ maxLength: 32 }), Type.Unknown(), {
        description: `One of jwt (up to ${maxBatchSize}) and attestation (one), each an array of compact JWTs`,
      }),
    ),
    credential_response_encryption: Type.Optional(ResponseEncryption),
  },
  { $id: 'CredentialRequest' },
)
export type CredentialRequest = Static<typeof CredentialRequest>

/** Section 9.1. */
export const DeferredCredentialRequest = Type.Object(
  {
    transaction_id: Type.String({ maxLength: 128 }),
    credential_response_encryption: Type.Optional(ResponseEncryption),
  },
  { $id: 'DeferredCredentialRequest' },
)
export type DeferredCredentialRequest = Static<typeof DeferredCredentialRequest>

/** Section 8.3, issued: one for each key. */
export const CredentialResponse = Type.Object(
  {
    credentials: Type.Array(
      Type.Object({ credential: Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]) }, closed),
    ),
    notification_id: Type.Optional(Type.String()),
  },
  { $id: 'CredentialResponse', ...closed },
)
export type CredentialResponse = Static<typeof CredentialResponse>

/** Sections 8.3 and 9.2, not issued yet. `interval` in seconds. */
export const PendingCredentialResponse = Type.Object(
  { transaction_id: Type.String(), interval: Type.Integer({ minimum: 1 }) },
  { $id: 'PendingCredentialResponse', ...closed },
)
export type PendingCredentialResponse = Static<typeof PendingCredentialResponse>

/** Section 7.2. */
export const NonceResponse = Type.Object({ c_nonce: Type.String() }, { $id: 'NonceResponse', ...closed })

export const NotificationEvent = Type.Enum(['credential_accepted', 'credential_failure', 'credential_deleted'])
export type NotificationEvent = Static<typeof NotificationEvent>

/** Section 11.1. What a wallet says in its own words is taken and not kept. */
export const NotificationRequest = Type.Object(
  {
    notification_id: Type.String({ maxLength: 128 }),
    event: NotificationEvent,
    event_description: Type.Optional(
      Type.String({ pattern: '^[\\x20-\\x21\\x23-\\x5B\\x5D-\\x7E]*$', maxLength: 1024 }),
    ),
  },
  { $id: 'NotificationRequest' },
)
export type NotificationRequest = Static<typeof NotificationRequest>

/** Section 8.3.1.2, and section 3 of RFC 6750. */
export const IssuanceError = Type.Object(
  { error: Type.String(), error_description: Type.Optional(Type.String()) },
  { $id: 'IssuanceError', ...closed },
)
export type IssuanceError = Static<typeof IssuanceError>

export const preAuthorizedCodeGrant = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

/** Section 4.1.1: what a wallet is offered. */
export const CredentialOffer = Type.Object(
  {
    credential_issuer: Type.String({ format: 'uri' }),
    credential_configuration_ids: Type.Array(Type.String(), { minItems: 1 }),
    grants: Type.Object(
      {
        authorization_code: Type.Optional(
          Type.Object({ issuer_state: Type.String(), authorization_server: Type.String() }, closed),
        ),
        [preAuthorizedCodeGrant]: Type.Optional(
          Type.Object(
            {
              'pre-authorized_code': Type.String(),
              authorization_server: Type.String(),
              tx_code: Type.Optional(
                Type.Object({ input_mode: Type.Literal('numeric'), length: Type.Integer() }, closed),
              ),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
  },
  { $id: 'CredentialOffer', ...closed },
)
export type CredentialOffer = Static<typeof CredentialOffer>

const maxOfferSeconds = 30 * 24 * 3600

/** A utility or the registrar offers to a holder, or a customer to a wallet of their own. */
export const OfferRequest = Type.Object(
  {
    holder: Type.Optional(
      Type.Union([OpaqueId('cust'), Did], { description: 'Left out by customers: they offer to themselves' }),
    ),
    configuration_ids: Type.Array(Type.String({ maxLength: 128 }), { minItems: 1, maxItems: 8, uniqueItems: true }),
    resource: Type.Optional(
      Type.String({
        maxLength: 128,
        description: 'Which of the holder’s things it is about, such as a metering point',
      }),
    ),
    claims: Type.Optional(
      Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
        description: 'What is to be said, where only the issuer knows it: for a RepresentationCredential',
      }),
    ),
    grant: Type.Optional(Type.Enum(['pre-authorized_code', 'authorization_code'], { default: 'pre-authorized_code' })),
    tx_code: Type.Optional(
      Type.Boolean({ description: 'Whether a code is needed that travels by another way; true unless given' }),
    ),
    expires_in: Type.Optional(Type.Integer({ minimum: 60, maximum: maxOfferSeconds, description: 'Seconds' })),
  },
  { $id: 'OfferRequest', ...closed },
)
export type OfferRequest = Static<typeof OfferRequest>

/** An offer as whoever made it sees it. */
export const Offer = Type.Object(
  {
    id: OpaqueId('offer'),
    holder: Type.String(),
    configuration_ids: Type.Array(Type.String()),
    state: Type.Enum(['open', 'redeemed', 'withdrawn', 'expired']),
    created_at: Instant,
    expires_at: Instant,
  },
  { $id: 'Offer', ...closed },
)
export type Offer = Static<typeof Offer>

/** A new offer, with the links that a wallet opens. `tx_code` is told this once. */
export const NewOffer = Type.Object(
  {
    ...Offer.properties,
    credential_offer_uri: Type.String({ format: 'uri' }),
    links: Type.Object({ openid_credential_offer: Type.String(), haip_vci: Type.String() }, closed),
    qr: Type.String({ format: 'uri', description: 'The link as a QR code, SVG' }),
    tx_code: Type.Optional(Type.String({ pattern: '^[0-9]{6}$' })),
  },
  { $id: 'NewOffer', ...closed },
)
export type NewOffer = Static<typeof NewOffer>

export const OfferList = Type.Object(
  { offers: Type.Array(Offer), next: Type.Optional(Type.String({ description: 'Pass as after' })) },
  { $id: 'OfferList', ...closed },
)
