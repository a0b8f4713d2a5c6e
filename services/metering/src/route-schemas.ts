import { BatchClaims, Did, Instant, MeteringPoint, OpaqueId, Quality } from '@tillit/schemas'
import { Type } from 'typebox'

/** Shapes that only these routes know; what travels further is in `schemas/`. */
const closed = { additionalProperties: false } as const

export const maxReadingsPerImport = 5000

export const PointParams = Type.Object({ id: OpaqueId('mp') })
export const RecordParams = Type.Object({ id: OpaqueId('ar') })
export const DeviceParams = Type.Object({ did: Did })
export const BatchParams = Type.Object({ did: Did, seq: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }) })

export const Page = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 })),
  after: Type.Optional(Type.String({ maxLength: 128, description: '`next` of the page before' })),
})

export const MeteringPointList = Type.Object(
  { metering_points: Type.Array(MeteringPoint), next: Type.Optional(Type.String()) },
  closed,
)

export const Entitlement = Type.Object(
  {
    metering_point: OpaqueId('mp'),
    customer: Type.String(),
    role: Type.Enum(['holder', 'co-occupant']),
    from: Instant,
    to: Type.Union([Type.Null(), Instant]),
  },
  closed,
)

export const EntitlementEnd = Type.Object(
  { customer: Type.String({ pattern: '^cust_[A-Za-z0-9_-]{22}$' }), to: Instant },
  closed,
)

export const Device = Type.Object(
  {
    did: Did,
    metering_point: OpaqueId('mp'),
    model: Type.String(),
    serial: Type.String(),
    status: Type.Enum(['ACTIVE', 'QUARANTINED']),
    credential: Type.String({ description: 'MeterDeviceCredential, SD-JWT VC' }),
    last_seq: Type.Integer(),
  },
  closed,
)

const { product: Product, direction: Direction } = BatchClaims.properties

const ImportReading = Type.Object(
  {
    start: Instant,
    duration_seconds: Type.Integer({ minimum: 1, maximum: 86_400 * 366 }),
    value: Type.Number({ minimum: -1e12, maximum: 1e12 }),
    quality: Quality,
  },
  closed,
)

/** A chunk of a file: readings sorted by start, in the product's unit (W.h for active energy). */
export const ReadingImport = Type.Object(
  {
    product: Product,
    direction: Direction,
    unit: Type.String({ maxLength: 16 }),
    readings: Type.Array(ImportReading, { minItems: 1, maxItems: maxReadingsPerImport }),
  },
  closed,
)

export const ReadingImportResult = Type.Object(
  {
    stored: Type.Integer({ description: 'New, and estimates replaced by better values' }),
    duplicates: Type.Integer(),
    refused: Type.Array(Type.Object({ index: Type.Integer(), code: Type.String(), detail: Type.String() }, closed)),
  },
  closed,
)

export const ReadingsQuery = Type.Object({
  from: Instant,
  to: Instant,
  granularity: Type.Optional(Type.String({ maxLength: 32, description: 'The finest allowed when it is left out' })),
  product: Type.Optional(Product),
  direction: Type.Optional(Direction),
  purpose: Type.Optional(Type.String({ maxLength: 64 })),
})

export const RecordsQuery = Type.Object({
  metering_point: Type.Optional(OpaqueId('mp')),
  caller: Type.Optional(Type.String({ maxLength: 1024 })),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  ...Page.properties,
})
