import { type Static, Type } from 'typebox'
import { CompactJws, Did, Gsrn, Instant, OpaqueId, Sha256Hex } from './atoms.ts'

const closed = { additionalProperties: false } as const

export const Quality = Type.Enum(['measured', 'estimated', 'adjusted', 'missing'])
export type Quality = Static<typeof Quality>

export const Product = Type.Enum(['active_energy', 'reactive_energy', 'active_power', 'voltage', 'current'])
export const Direction = Type.Enum(['consumption', 'production'])

/** One interval: start, length in seconds, and the value in whole units of the stream (Wh for active energy). */
export const Reading = Type.Object(
  {
    start: Instant,
    duration_seconds: Type.Integer({ minimum: 1, maximum: 86400 * 366 }),
    value: Type.Number({ minimum: -1e12, maximum: 1e12 }),
    quality: Quality,
  },
  { $id: 'Reading', ...closed },
)
export type Reading = Static<typeof Reading>

/** The claims of a device's batch (JWS, `typ: tillit-batch+jwt`): numbered and chained, so loss, replay and forgery show. */
export const BatchClaims = Type.Object(
  {
    iss: Did,
    seq: Type.Integer({ minimum: 1 }),
    prv: Type.Union([
      Type.Null(),
      Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'SHA-256 of the previous batch as sent' }),
    ]),
    product: Product,
    direction: Direction,
    unit: Type.String({ maxLength: 16, description: 'UCUM, for example W.h' }),
    readings: Type.Array(Reading, { minItems: 1, maxItems: 3000 }),
  },
  { $id: 'BatchClaims', ...closed },
)
export type BatchClaims = Static<typeof BatchClaims>

export const BatchUpload = Type.Object({ batch: CompactJws }, { $id: 'BatchUpload', ...closed })

export const BatchAccepted = Type.Object(
  {
    device: Did,
    seq: Type.Integer(),
    sha256: Sha256Hex,
    stored: Type.Integer(),
    duplicates: Type.Integer(),
    replay: Type.Boolean({ description: 'The very same batch was stored before' }),
  },
  { $id: 'BatchAccepted', ...closed },
)
export type BatchAccepted = Static<typeof BatchAccepted>

export const MeteringPointRegistration = Type.Object(
  { gsrn: Gsrn, grid_area: Type.String({ maxLength: 32 }), time_zone: Type.String({ maxLength: 64 }) },
  { $id: 'MeteringPointRegistration', ...closed },
)

export const MeteringPoint = Type.Object(
  {
    id: OpaqueId('mp'),
    gsrn: Type.Optional(Gsrn),
    grid_area: Type.String(),
    time_zone: Type.String(),
    utility: Did,
  },
  { $id: 'MeteringPoint', ...closed },
)
export type MeteringPoint = Static<typeof MeteringPoint>

export const EntitlementRegistration = Type.Object(
  {
    customer: Type.String({ pattern: '^cust_[A-Za-z0-9_-]{22}$' }),
    role: Type.Enum(['holder', 'co-occupant']),
    from: Instant,
  },
  { $id: 'EntitlementRegistration', ...closed },
)

export const DeviceEnrolment = Type.Object(
  {
    did: Did,
    metering_point: OpaqueId('mp'),
    model: Type.String({ maxLength: 64 }),
    serial: Type.String({ maxLength: 64 }),
  },
  { $id: 'DeviceEnrolment', ...closed },
)

/** A series as delivered: intervals at exactly the decided granularity, sums of what they hold. */
export const ReadingSeries = Type.Object(
  {
    metering_point: OpaqueId('mp'),
    product: Product,
    direction: Direction,
    unit: Type.String(),
    granularity: Type.String(),
    time_zone: Type.String(),
    from: Instant,
    to: Instant,
    access_record: OpaqueId('ar'),
    readings: Type.Array(
      Type.Object(
        {
          start: Instant,
          end: Instant,
          value: Type.Number(),
          quality: Quality,
          coverage: Type.Number({ minimum: 0, maximum: 1, description: 'Share of the interval that readings cover' }),
        },
        closed,
      ),
    ),
  },
  { $id: 'ReadingSeries', ...closed },
)
export type ReadingSeries = Static<typeof ReadingSeries>

/** One decision that released or refused data. The log holds its commitment. */
export const AccessRecord = Type.Object(
  {
    id: OpaqueId('ar'),
    at: Instant,
    metering_point: OpaqueId('mp'),
    caller: Type.String({ description: 'DID of the party, or customer' }),
    caller_name: Type.String(),
    decision: Type.Enum(['permit', 'deny']),
    reason: Type.String(),
    reason_code: Type.String(),
    authority: Type.Union([Type.Null(), Type.String({ description: 'Permission id, or own-data' })]),
    determined_by: Type.Array(Type.String()),
    from: Instant,
    to: Instant,
    granularity: Type.Union([Type.Null(), Type.String()]),
    values: Type.Integer(),
    response_sha256: Type.Union([Type.Null(), Sha256Hex]),
  },
  { $id: 'AccessRecord', ...closed },
)
export type AccessRecord = Static<typeof AccessRecord>

export const AccessRecordList = Type.Object(
  { access_records: Type.Array(AccessRecord), next: Type.Optional(Type.String()) },
  { $id: 'AccessRecordList', ...closed },
)
