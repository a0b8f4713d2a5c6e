import { type Static, Type } from 'typebox'

const open = { additionalProperties: true } as const
const closed = { additionalProperties: false } as const

/** A JSON-LD document; what it has to be is said by the data model (packages/credential), not by this schema. */
const Document = Type.Record(Type.String(), Type.Unknown())

/** W3C VC-API: POST /credentials/issue. */
export const VcApiIssueRequest = Type.Object(
  {
    credential: Document,
    options: Type.Optional(
      Type.Object(
        {
          credentialId: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
          mandatoryPointers: Type.Optional(Type.Array(Type.String(), { maxItems: 0 })),
          format: Type.Optional(
            Type.Enum(['eddsa-jcs-2022', 'vc+jwt'], {
              description: 'Ours; by default a proof where the key can make one',
            }),
          ),
        },
        closed,
      ),
    ),
  },
  { $id: 'VcApiIssueRequest', ...closed },
)
export type VcApiIssueRequest = Static<typeof VcApiIssueRequest>

export const VcApiIssueResponse = Type.Object(
  { verifiableCredential: Document },
  { $id: 'VcApiIssueResponse', ...closed },
)

/** W3C VC-API: POST /credentials/verify. A `vc+jwt` may also stand as it is. */
export const VcApiVerifyCredentialRequest = Type.Object(
  {
    verifiableCredential: Type.Union([Document, Type.String({ maxLength: 262144 })]),
    options: Type.Optional(Type.Object({}, open)),
  },
  { $id: 'VcApiVerifyCredentialRequest', ...closed },
)
export type VcApiVerifyCredentialRequest = Static<typeof VcApiVerifyCredentialRequest>

const Finding = Type.Object(
  { code: Type.String(), title: Type.String(), detail: Type.String(), pointer: Type.Optional(Type.String()) },
  { description: 'A code of our problem table' },
)

export const VcApiCredentialResult = Type.Object(
  {
    verified: Type.Boolean(),
    document: Document,
    controller: Type.String({ description: 'Who signed' }),
    warnings: Type.Array(Finding),
    errors: Type.Array(Finding),
  },
  { $id: 'VcApiCredentialResult', ...closed },
)
export type VcApiCredentialResult = Static<typeof VcApiCredentialResult>
export type VcApiFinding = Static<typeof Finding>

/** W3C VC-API: POST /presentations/verify. */
export const VcApiVerifyPresentationRequest = Type.Object(
  {
    verifiablePresentation: Type.Union([Document, Type.String({ maxLength: 1_048_576 })]),
    options: Type.Optional(
      Type.Object(
        {
          challenge: Type.Optional(Type.String({ maxLength: 1024 })),
          domain: Type.Optional(Type.String({ maxLength: 1024 })),
        },
        open,
      ),
    ),
  },
  { $id: 'VcApiVerifyPresentationRequest', ...closed },
)
export type VcApiVerifyPresentationRequest = Static<typeof VcApiVerifyPresentationRequest>

export const VcApiPresentationResult = Type.Object(
  {
    verified: Type.Boolean(),
    document: Document,
    controller: Type.String({ description: 'The holder, who signed' }),
    credentialResults: Type.Array(VcApiCredentialResult),
    errors: Type.Array(Finding),
  },
  { $id: 'VcApiPresentationResult', ...closed },
)
export type VcApiPresentationResult = Static<typeof VcApiPresentationResult>

/** W3C VC-API: POST /credentials/status. */
export const VcApiStatusRequest = Type.Object(
  {
    credentialId: Type.String({ minLength: 1, maxLength: 1024 }),
    credentialStatus: Type.Object(
      {
        id: Type.Optional(Type.String()),
        type: Type.Enum(['BitstringStatusListEntry', 'BitstringStatusList']),
        statusPurpose: Type.Enum(['revocation', 'suspension']),
        statusListIndex: Type.Optional(Type.String()),
        statusListCredential: Type.Optional(Type.String()),
      },
      closed,
    ),
    status: Type.Boolean(),
    indexAllocator: Type.Optional(Type.String()),
  },
  { $id: 'VcApiStatusRequest', ...closed },
)
export type VcApiStatusRequest = Static<typeof VcApiStatusRequest>
