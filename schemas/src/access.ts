import { type Static, Type } from 'typebox'

/** OpenID AuthZEN Authorization API 1.0: unknown members are ignored, wrong types refused. */
const open = { additionalProperties: true } as const

const Entity = Type.Object(
  { type: Type.String(), id: Type.String(), properties: Type.Optional(Type.Record(Type.String(), Type.Unknown())) },
  open,
)

export const EvaluationRequest = Type.Object(
  {
    subject: Entity,
    action: Type.Object(
      { name: Type.String(), properties: Type.Optional(Type.Record(Type.String(), Type.Unknown())) },
      open,
    ),
    resource: Entity,
    context: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { $id: 'EvaluationRequest', ...open },
)
export type EvaluationRequest = Static<typeof EvaluationRequest>

export const EvaluationResponse = Type.Object(
  { decision: Type.Boolean(), context: Type.Optional(Type.Record(Type.String(), Type.Unknown())) },
  { $id: 'EvaluationResponse', additionalProperties: false },
)
export type EvaluationResponse = Static<typeof EvaluationResponse>
