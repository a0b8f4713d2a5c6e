import { addToOutbox, type Database, prepared } from '@tillit/database'
import type { SeriesReading } from '@tillit/metering'
import type { AccessRecord } from '@tillit/schemas'
import { type Insertable, type Kysely, type SelectQueryBuilder, sql, type Updateable } from 'kysely'
import type {
  AccessRecordRow,
  DeviceBatchRow,
  DeviceRow,
  EntitlementRow,
  MeteringPointRow,
  MeteringTables,
} from './tables.ts'

export type Store = ReturnType<typeof createStore>

/** One stream: what is measured at a metering point, in one direction. */
export interface Stream {
  pointId: string
  product: string
  direction: string
}

export interface Span {
  fromMs: number
  toMs: number
}

export interface RecordFilter {
  visibleTo: { kind: 'customer' | 'organisation'; id: string }
  meteringPoint?: string | undefined
  caller?: string | undefined
  from?: Date | undefined
  to?: Date | undefined
  before?: { at: Date; id: string } | undefined
  limit: number
}

/** Most rows of one INSERT: PostgreSQL takes 65,535 parameters. */
const rowsPerInsert = 1000

/** All SQL of the service, over a handle: the pool for single statements, or the transaction that `transact` hands out. */
export function createStore(db: Kysely<MeteringTables>) {
  const pointsAfter = (after: string, limit: number) =>
    db.selectFrom('metering.metering_points').selectAll().where('id', '>', after).orderBy('id').limit(limit)
  return {
    findPoint: (id: string) =>
      db.selectFrom('metering.metering_points').selectAll().where('id', '=', id).executeTakeFirst(),
    findPointByGsrn: (gsrn: string) =>
      db.selectFrom('metering.metering_points').selectAll().where('gsrn', '=', gsrn).executeTakeFirst(),
    /** Held to the end of the transaction: who writes to a point's readings or entitlements does so alone. */
    lockPoint: (id: string) =>
      db.selectFrom('metering.metering_points').selectAll().where('id', '=', id).forNoKeyUpdate().executeTakeFirst(),
    async addPoint(row: Insertable<MeteringPointRow>): Promise<boolean> {
      const insert = db.insertInto('metering.metering_points').values(row)
      return (
        (
          await insert
            .onConflict((gsrn) => gsrn.column('gsrn').doNothing())
            .returning('id')
            .execute()
        ).length > 0
      )
    },
    pointsOfUtility: (did: string, after: string, limit: number) =>
      pointsAfter(after, limit).where('utility_did', '=', did).execute(),
    pointsOfCustomer: (customer: string, after: string, limit: number) =>
      pointsAfter(after, limit)
        .where('id', 'in', (q) =>
          q.selectFrom('metering.entitlements').select('metering_point_id').where('customer_id', '=', customer),
        )
        .execute(),
    pointsPermittedTo: (did: string, after: string, limit: number) =>
      pointsAfter(after, limit)
        .where('id', 'in', (q) =>
          q
            .selectFrom('permissions.path_v1')
            .select('metering_point_id')
            .where('caller_did', '=', did)
            .where('state', '=', 'ACTIVE')
            .where('delegation_revoked', '=', false),
        )
        .execute(),

    entitlementsOf: (pointId: string) =>
      db.selectFrom('metering.entitlements').selectAll().where('metering_point_id', '=', pointId).execute(),
    addEntitlement: (row: Insertable<EntitlementRow>) =>
      db.insertInto('metering.entitlements').values(row).returningAll().executeTakeFirstOrThrow(),
    endEntitlement: (id: number, to: Date) =>
      db
        .updateTable('metering.entitlements')
        .set({ valid_to: to })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow(),

    findParty: (did: string) =>
      db.selectFrom('credentials.party_v1').selectAll().where('did', '=', did).executeTakeFirst(),

    findDevice: (did: string) =>
      db.selectFrom('metering.devices').selectAll().where('did', '=', did).executeTakeFirst(),
    /** Batches of one device are taken one after the other. */
    lockDevice: (did: string) =>
      db.selectFrom('metering.devices').selectAll().where('did', '=', did).forUpdate().executeTakeFirst(),
    addDevice: (row: Insertable<DeviceRow>) => db.insertInto('metering.devices').values(row).execute(),
    updateDevice: (did: string, change: Updateable<DeviceRow>) =>
      db.updateTable('metering.devices').set(change).where('did', '=', did).execute(),
    findBatch: (did: string, seq: number) =>
      db
        .selectFrom('metering.device_batches')
        .selectAll()
        .where('device_did', '=', did)
        .where('seq', '=', seq)
        .executeTakeFirst(),
    async utilityOfDevice(did: string): Promise<string | undefined> {
      const row = await db
        .selectFrom('metering.devices as device')
        .innerJoin('metering.metering_points as point', 'point.id', 'device.metering_point_id')
        .select('point.utility_did')
        .where('device.did', '=', did)
        .executeTakeFirst()
      return row?.utility_did
    },
    /** Unlinks the device's batches from their leaves, for good. Gives how many were linked. */
    async eraseBatchSalts(did: string): Promise<number> {
      const { numUpdatedRows } = await db
        .updateTable('metering.device_batches')
        .set({ salt: null })
        .where('device_did', '=', did)
        .where('salt', 'is not', null)
        .executeTakeFirst()
      return Number(numUpdatedRows)
    },
    /** The batch and its leaf. */
    async addBatch(row: Insertable<DeviceBatchRow>): Promise<void> {
      await db.insertInto('metering.device_batches').values(row).execute()
      await addToOutbox(db, 'metering', { kind: 'reading-batch', commitment: row.commitment })
    },

    /** Stored readings of the span by start; with `touching`, also the one before it, which may reach into it. */
    async readings(stream: Stream, span: Span, options: { touching?: boolean } = {}): Promise<SeriesReading[]> {
      const inSpan = readingsOf(db, stream)
        .where('start', '>=', new Date(span.fromMs))
        .where('start', '<', new Date(span.toMs))
        .orderBy('start')
      const rows = await inSpan.execute()
      if (!options.touching) return rows.map(seriesReading)
      const before = await readingsOf(db, stream)
        .where('start', '<', new Date(span.fromMs))
        .orderBy('start', 'desc')
        .limit(1)
        .execute()
      return [...before, ...rows].map(seriesReading)
    },
    async putReadings(stream: Stream, readings: readonly SeriesReading[], source: string): Promise<void> {
      for (let at = 0; at < readings.length; at += rowsPerInsert) {
        const rows = readings.slice(at, at + rowsPerInsert).map((reading) => ({
          metering_point_id: stream.pointId,
          product: stream.product,
          direction: stream.direction,
          start: new Date(reading.startMs),
          duration_seconds: reading.durationSeconds,
          value_milli: reading.valueMilli,
          quality: reading.quality,
          source,
        }))
        await db
          .insertInto('metering.readings')
          .values(rows)
          .onConflict((key) =>
            key.columns(['metering_point_id', 'product', 'direction', 'start']).doUpdateSet((q) => ({
              value_milli: q.ref('excluded.value_milli'),
              quality: q.ref('excluded.quality'),
              source: q.ref('excluded.source'),
            })),
          )
          .execute()
      }
    },

    /** The record and its leaf, in one statement. The log is told of the leaf when the permissions are released. */
    async addAccessRecord({ id, at, ...row }: Omit<AccessRecordRow, 'entry'> & { entry: AccessRecord }): Promise<void> {
      await sql`${prepared('record-access')}
        with leaf as (insert into metering.outbox (kind, commitment) values ('access-record', ${row.commitment}))
        insert into metering.access_records
          (id, at, metering_point_id, caller_id, data_from, data_to, entry, salt, commitment)
        values (${id}, ${at}, ${row.metering_point_id}, ${row.caller_id}, ${row.data_from}, ${row.data_to},
          ${JSON.stringify(row.entry)}, ${row.salt}, ${row.commitment})`.execute(db)
    },
    /** Unlinks the records of a point from their leaves, for good. Gives how many were linked. */
    async eraseAccessRecordSalts(pointId: string): Promise<number> {
      const { numUpdatedRows } = await db
        .updateTable('metering.access_records')
        .set({ salt: null })
        .where('metering_point_id', '=', pointId)
        .where('salt', 'is not', null)
        .executeTakeFirst()
      return Number(numUpdatedRows)
    },
    findAccessRecord: (id: string, visibleTo: RecordFilter['visibleTo']) =>
      visible(db.selectFrom('metering.access_records as record').selectAll(), visibleTo)
        .where('record.id', '=', id)
        .executeTakeFirst(),
    accessRecords({ visibleTo, meteringPoint, caller, from, to, before, limit }: RecordFilter) {
      let query = visible(db.selectFrom('metering.access_records as record').selectAll(), visibleTo)
      if (meteringPoint !== undefined) query = query.where('record.metering_point_id', '=', meteringPoint)
      if (caller !== undefined) query = query.where(sql<string>`record.entry ->> 'caller'`, '=', caller)
      if (from !== undefined) query = query.where('record.at', '>=', from)
      if (to !== undefined) query = query.where('record.at', '<', to)
      if (before !== undefined) query = query.where(sql<boolean>`(record.at, record.id) < (${before.at}, ${before.id})`)
      return query.orderBy('record.at', 'desc').orderBy('record.id', 'desc').limit(limit).execute()
    },
  }
}

/** One transaction, READ COMMITTED; the work sees its store only. */
export function transact<Result>(
  db: Database<MeteringTables>,
  work: (store: Store) => Promise<Result>,
): Promise<Result> {
  return db.transaction().execute((transaction) => work(createStore(transaction)))
}

function readingsOf(db: Kysely<MeteringTables>, stream: Stream) {
  return db
    .selectFrom('metering.readings')
    .select(['start', 'duration_seconds', 'value_milli', 'quality'])
    .where('metering_point_id', '=', stream.pointId)
    .where('product', '=', stream.product)
    .where('direction', '=', stream.direction)
}

function seriesReading(row: {
  start: Date
  duration_seconds: number
  value_milli: number
  quality: SeriesReading['quality']
}): SeriesReading {
  return {
    startMs: row.start.getTime(),
    durationSeconds: row.duration_seconds,
    valueMilli: row.value_milli,
    quality: row.quality,
  }
}

/** An organisation sees its own reads; a customer those of data from the time in which the point was theirs. */
function visible<O>(
  query: SelectQueryBuilder<MeteringTables & { record: AccessRecordRow }, 'record', O>,
  { kind, id }: RecordFilter['visibleTo'],
) {
  if (kind === 'organisation') return query.where('record.caller_id', '=', id)
  return query.where((q) =>
    q.exists(
      q
        .selectFrom('metering.entitlements as e')
        .select('e.id')
        .where('e.customer_id', '=', id)
        .whereRef('e.metering_point_id', '=', 'record.metering_point_id')
        .whereRef('e.valid_from', '<', 'record.data_to')
        .where((either) =>
          either.or([either('e.valid_to', 'is', null), either('e.valid_to', '>', either.ref('record.data_from'))]),
        ),
    ),
  )
}
