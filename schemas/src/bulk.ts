import { type Static, Type } from 'typebox'
import { Did, Instant, OpaqueId } from './atoms.ts'
import { CredentialType } from './credential-claims.ts'

const closed = { additionalProperties: false } as const

/** Most lines in one batch: their signatures take well under a second. */
export const maxBatchLines = 500

const Line = Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1, description: 'Its number in the run' })
const Run = OpaqueId('run')

/** Credentials that an organisation issues by the hundred. The same line of the same run is issued once. */
export const CredentialBatch = Type.Object(
  {
    run: Run,
    type: CredentialType,
    lines: Type.Array(
      Type.Object(
        {
          line: Line,
          holder: Did,
          claims: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
            description: 'Those of the type. Of gsrn and metering_point one is enough',
          }),
          expires: Type.Optional(Instant),
        },
        closed,
      ),
      { minItems: 1, maxItems: maxBatchLines },
    ),
  },
  { $id: 'CredentialBatch', ...closed },
)
export type CredentialBatch = Static<typeof CredentialBatch>

const Refused = Type.Object({ line: Line, code: Type.String(), detail: Type.String() }, closed)

export const CredentialBatchResult = Type.Object(
  {
    issued: Type.Array(Type.Object({ line: Line, id: OpaqueId('cred'), credential: Type.String() }, closed)),
    refused: Type.Array(Refused),
  },
  { $id: 'CredentialBatchResult', ...closed },
)
export type CredentialBatchResult = Static<typeof CredentialBatchResult>
