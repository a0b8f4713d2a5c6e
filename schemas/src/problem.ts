import { type Static, Type } from 'typebox'

/** RFC 9457 problem details, with our stable `code` and where the fault is. */
export const ProblemDocument = Type.Object(
  {
    type: Type.String({ format: 'uri' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.String(),
    pointer: Type.Optional(Type.String()),
    request_id: Type.Optional(Type.String()),
    reasons: Type.Optional(Type.Array(Type.String())),
    expected_seq: Type.Optional(Type.Integer()),
  },
  { $id: 'ProblemDocument', additionalProperties: false },
)
export type ProblemDocument = Static<typeof ProblemDocument>
