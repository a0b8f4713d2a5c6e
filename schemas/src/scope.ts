import { type Static, Type } from 'typebox'
import { Instant } from './atoms.ts'

export const scopeType = 'https://tillit.example/rar/metering-data/v1'

const closed = { additionalProperties: false } as const
const setOf = <T extends string>(...values: T[]) =>
  Type.Array(Type.Enum(values as [T, ...T[]]), { minItems: 1, uniqueItems: true, maxItems: values.length })

/** Time is half open: `from` belongs to the period, `to` does not. */
export const Period = Type.Object({ from: Instant, to: Instant }, closed)

export const PurposeChoice = Type.Object({ code: Type.String({ maxLength: 64 }), required: Type.Boolean() }, closed)

/**
 * What may be done with which data: the RFC 9396 authorization details object that is requested, shown, signed, stored,
 * delegated and enforced. Scopes are partially ordered (packages/policy).
 */
export const Scope = Type.Object(
  {
    type: Type.Literal(scopeType),
    actions: setOf('read', 'stream', 'write'),
    datatypes: setOf(
      'validated_history',
      'near_real_time',
      'accounting_point',
      'infrastructure_telemetry',
      'certificates',
    ),
    resources: Type.Array(
      Type.String({ pattern: '^(gsrn:[0-9]{18}|stream:did:.+|cohort:[A-Za-z0-9_-]+)$', maxLength: 512 }),
      {
        minItems: 1,
        maxItems: 1000,
        uniqueItems: true,
      },
    ),
    products: setOf('active_energy', 'reactive_energy', 'active_power', 'voltage', 'current'),
    directions: setOf('consumption', 'production'),
    period: Period,
    finest_granularity: Type.String({ maxLength: 32, description: 'Canonical ISO 8601 duration' }),
    subject_form: Type.Enum(['identified', 'pseudonymous', 'aggregate']),
    delivery: setOf('pull', 'push', 'stream'),
    purpose: Type.Array(PurposeChoice, { minItems: 1, maxItems: 16 }),
    legal_basis: Type.String({ pattern: '^eu-gdpr:A6-1-[a-f]$' }),
    eprivacy_basis: Type.Union([Type.Null(), Type.Enum(['consent', 'strictly-necessary'])]),
    expires: Instant,
    delete_after: Type.String({
      maxLength: 32,
      description: 'Canonical ISO 8601 duration after the end of the permission',
    }),
    delegation: Type.Object(
      {
        max_depth: Type.Integer({ minimum: 0, maximum: 7 }),
        recipients: Type.Array(Type.String({ maxLength: 1024 }), {
          maxItems: 64,
          uniqueItems: true,
          description: 'DIDs',
        }),
      },
      closed,
    ),
    countries: Type.Array(Type.String({ pattern: '^[A-Z]{2}$' }), { minItems: 1, uniqueItems: true, maxItems: 249 }),
    duties: Type.Optional(Type.Array(Type.String({ maxLength: 128 }), { maxItems: 32, uniqueItems: true })),
    data_need: Type.Union([Type.Null(), Type.String({ maxLength: 128 })]),
  },
  { $id: 'Scope', ...closed },
)
export type Scope = Static<typeof Scope>
