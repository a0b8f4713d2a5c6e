import { type Static, Type } from 'typebox'

/** OpenID AuthZEN Authorization API 1.0: unknown members are ignored, wrong types refused. */
const open = { additionalProperties: true } as const
const closed = { additionalProperties: false } as const

const Name = Type.String({ maxLength: 2048 })
const Members = Type.Record(Type.String(), Type.Unknown())

const Entity = Type.Object({ type: Name, id: Name, properties: Type.Optional(Members) }, open)
/** What is searched for has a type only: an id is ignored (sections 8.4.1 and 8.5.1). */
const EntityType = Type.Object({ type: Name, properties: Type.Optional(Members) }, open)
const Action = Type.Object({ name: Name, properties: Type.Optional(Members) }, open)

export const EvaluationRequest = Type.Object(
  { subject: Entity, action: Action, resource: Entity, context: Type.Optional(Members) },
  { $id: 'EvaluationRequest', ...open },
)
export type EvaluationRequest = Static<typeof EvaluationRequest>

export const EvaluationResponse = Type.Object(
  { decision: Type.Boolean(), context: Type.Optional(Members) },
  { $id: 'EvaluationResponse', ...closed },
)
export type EvaluationResponse = Static<typeof EvaluationResponse>

/** Most evaluations in one request. */
export const maxEvaluations = 200

const PartialEntity = Type.Partial(Entity, open)

/** What stands beside `evaluations` is the default of each; each is checked by itself, so that a fault in one leaves the others. */
export const EvaluationsRequest = Type.Object(
  {
    subject: Type.Optional(PartialEntity),
    action: Type.Optional(Type.Partial(Action, open)),
    resource: Type.Optional(PartialEntity),
    context: Type.Optional(Members),
    evaluations: Type.Optional(Type.Array(Members, { maxItems: maxEvaluations })),
    options: Type.Optional(
      Type.Object(
        {
          evaluations_semantic: Type.Optional(
            Type.Union([
              Type.Literal('execute_all'),
              Type.Literal('deny_on_first_deny'),
              Type.Literal('permit_on_first_permit'),
            ]),
          ),
        },
        open,
      ),
    ),
  },
  { $id: 'EvaluationsRequest', ...open },
)
export type EvaluationsRequest = Static<typeof EvaluationsRequest>

/** The answers in the order of the questions; a single decision where no `evaluations` were asked for. */
export const EvaluationsResponse = Type.Object(
  {
    decision: Type.Optional(Type.Boolean()),
    context: Type.Optional(Members),
    evaluations: Type.Optional(Type.Array(EvaluationResponse)),
  },
  { $id: 'EvaluationsResponse', ...closed },
)
export type EvaluationsResponse = Static<typeof EvaluationsResponse>

/** Section 8.2.1: all but the token stays as it was in the request before. */
export const SearchPageRequest = Type.Object(
  {
    token: Type.Optional(Type.String({ maxLength: 4096 })),
    limit: Type.Optional(Type.Integer({ minimum: 0 })),
    properties: Type.Optional(Members),
  },
  open,
)
export type SearchPageRequest = Static<typeof SearchPageRequest>

const searchMembers = { context: Type.Optional(Members), page: Type.Optional(SearchPageRequest) }

export const SubjectSearchRequest = Type.Object(
  { subject: EntityType, action: Action, resource: Entity, ...searchMembers },
  { $id: 'SubjectSearchRequest', ...open },
)
export type SubjectSearchRequest = Static<typeof SubjectSearchRequest>

export const ResourceSearchRequest = Type.Object(
  { subject: Entity, action: Action, resource: EntityType, ...searchMembers },
  { $id: 'ResourceSearchRequest', ...open },
)
export type ResourceSearchRequest = Static<typeof ResourceSearchRequest>

export const ActionSearchRequest = Type.Object(
  { subject: Entity, resource: Entity, ...searchMembers },
  { $id: 'ActionSearchRequest', ...open },
)
export type ActionSearchRequest = Static<typeof ActionSearchRequest>

const SearchPage = Type.Object(
  {
    next_token: Type.String({ description: 'Empty on the last page' }),
    count: Type.Integer({ description: 'How many results this page has' }),
  },
  closed,
)

/** Subjects or resources. A page may hold fewer than the limit, also none, and still not be the last. */
export const EntitySearchResponse = Type.Object(
  { page: SearchPage, results: Type.Array(Type.Object({ type: Type.String(), id: Type.String() }, closed)) },
  { $id: 'EntitySearchResponse', ...closed },
)
export type EntitySearchResponse = Static<typeof EntitySearchResponse>

export const ActionSearchResponse = Type.Object(
  { page: SearchPage, results: Type.Array(Type.Object({ name: Type.String() }, closed)) },
  { $id: 'ActionSearchResponse', ...closed },
)
export type ActionSearchResponse = Static<typeof ActionSearchResponse>

/** Policy decision point metadata, section 9. */
export const AuthzenConfiguration = Type.Object(
  {
    policy_decision_point: Type.String(),
    access_evaluation_endpoint: Type.String(),
    access_evaluations_endpoint: Type.String(),
    search_subject_endpoint: Type.String(),
    search_resource_endpoint: Type.String(),
    search_action_endpoint: Type.String(),
    signed_metadata: Type.String({ description: 'The same as a JWT, signed by the authority whose DID is `iss`' }),
  },
  { $id: 'AuthzenConfiguration', ...closed },
)
export type AuthzenConfiguration = Static<typeof AuthzenConfiguration>
