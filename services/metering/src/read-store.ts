import { type Database, outboxChannel, prepared } from '@tillit/database'
import type { SeriesReading } from '@tillit/metering'
import { type Kysely, sql } from 'kysely'
import { createStore, type Span, type Store, type Stream } from './store.ts'
import type { EntitlementRow, MeteringPointRow, MeteringTables, PartyView, PathView } from './tables.ts'

/** Everything that a read is decided on, as one snapshot has it. */
export interface ReadContext {
  point: MeteringPointRow
  /** The ways by which permissions and delegations lead the caller to the point. */
  paths: PathRow[]
  entitlements: OwnershipRow[]
  /** The caller and everyone between the customers and the caller, of those that are known. */
  parties: PartyView[]
  /** The shortest and the longest interval stored within the span, in seconds; null when there is none. */
  durationSeconds: { shortest: number; longest: number } | null
  /** The readings that start within the span, by start; null when they are too many to fetch before anything is decided. */
  readings: SeriesReading[] | null
}

/** Ten days of quarter hours. */
const maxReadingsFetched = 960

/** What a path is decided on; its evidence stays in the database. */
export type PathRow = Omit<PathView, 'metering_point_id' | 'root_statement' | 'chain'>
export type OwnershipRow = Pick<EntitlementRow, 'customer_id' | 'valid_from' | 'valid_to'>

export interface Snapshot {
  store: Store
  /** Null when there is no such point. */
  readContext(ask: { callerId: string; stream: Stream; span: Span }): Promise<ReadContext | null>
}

/**
 * Holds the permissions that lead the caller to the point shared while `work` runs, on one connection of its own: whoever
 * ends one of them takes its lock exclusively and so waits for this work. `inSnapshot` runs a REPEATABLE READ transaction
 * on that connection, which begins after the locks are held and so sees every end that was acknowledged before.
 * A crash here ends the connection and with it the locks.
 */
export async function holdingPermissions<Result>(
  db: Database<MeteringTables>,
  { pointId, callerDid }: { pointId: string; callerDid: string },
  work: (held: ReadonlySet<string>, inSnapshot: InSnapshot) => Promise<Result>,
): Promise<Result> {
  return db.connection().execute(async (connection) => {
    const inSnapshot: InSnapshot = (read) =>
      connection
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute((transaction) =>
          read({ store: createStore(transaction), readContext: (ask) => readContext(transaction, ask) }),
        )
    let result: Result
    try {
      result = await work(await hold(connection, { pointId, callerDid }), inSnapshot)
    } catch (error) {
      // Where the release fails too, the connection is dead and its locks with it: the first error is the one to tell.
      await release(connection).catch(() => undefined)
      throw error
    }
    await release(connection)
    return result
  })
}

export type InSnapshot = <Result>(read: (snapshot: Snapshot) => Promise<Result>) => Promise<Result>

/** One statement finds the permissions and takes their locks, in the order of their ids. */
async function hold(
  connection: Kysely<MeteringTables>,
  { pointId, callerDid }: { pointId: string; callerDid: string },
): Promise<Set<string>> {
  const { rows } = await sql<{ permission_id: string }>`${prepared('hold-permissions')}
    with permission as materialized (
      select distinct permission_id from permissions.path_v1
       where metering_point_id = ${pointId} and caller_did = ${callerDid}
       order by permission_id)
    select permission_id, pg_advisory_lock_shared(hashtextextended('permission:' || permission_id, 0)) from permission`.execute(
    connection,
  )
  return new Set(rows.map(({ permission_id }) => permission_id))
}

/**
 * Also tells the log of the leaf, which the transaction has left in the outbox: PostgreSQL lets one notifying transaction
 * commit at a time, so telling it there would make every read wait for the disk alone. A crash before this delays the
 * leaf to the log's next poll.
 */
async function release(connection: Kysely<MeteringTables>): Promise<void> {
  await sql`${prepared('release-permissions')} SELECT pg_advisory_unlock_all(), pg_notify(${outboxChannel}, '')`.execute(
    connection,
  )
}

async function readContext(
  transaction: Kysely<MeteringTables>,
  { callerId, stream, span }: { callerId: string; stream: Stream; span: Span },
): Promise<ReadContext | null> {
  // One statement: each round trip costs more than what it fetches.
  const { rows } = await sql<Row>`${prepared('read-context')}
    with path as materialized (
      select permission_id, version, state, party_did, caller_did, customer_id, scope, chain_digest, chain_expires,
             delegation_revoked, intermediary_dids
        from permissions.path_v1 where metering_point_id = ${stream.pointId} and caller_did = ${callerId}
    ), within_span as not materialized (
      select start, duration_seconds, value_milli, quality from metering.readings
       where metering_point_id = ${stream.pointId} and product = ${stream.product} and direction = ${stream.direction}
         and start >= ${new Date(span.fromMs)} and start < ${new Date(span.toMs)}
    ), involved (did) as (
      select ${callerId} union select party_did from path union select unnest(intermediary_dids) from path
    )
    select point.*,
           (select json_agg(path) from path) as paths,
           (select json_agg(json_build_object('customer_id', customer_id, 'valid_from', valid_from, 'valid_to', valid_to))
              from metering.entitlements where metering_point_id = point.id) as entitlements,
           (select json_agg(json_build_object('did', did, 'name', name, 'status', status,
                                             'roles', roles, 'purposes', purposes, 'country', country))
              from credentials.party_v1 where did in (select did from involved)) as parties,
           lengths.*,
           case when lengths.count <= ${maxReadingsFetched} then
             (select coalesce(json_agg(json_build_array(
                       (extract(epoch from start) * 1000)::bigint, duration_seconds, value_milli, quality) order by start), '[]')
                from within_span) end as readings
      from metering.metering_points point,
           (select count(*)::integer, min(duration_seconds) as shortest, max(duration_seconds) as longest
              from within_span) as lengths
     where point.id = ${stream.pointId}`.execute(transaction)
  const [row] = rows
  if (!row) return null
  const { paths, entitlements, parties, readings, count: _, shortest, longest, ...point } = row
  return {
    point,
    paths: (paths ?? []).map((path) => ({ ...path, chain_expires: new Date(path.chain_expires) })),
    entitlements: (entitlements ?? []).map(({ customer_id, valid_from, valid_to }) => ({
      customer_id,
      valid_from: new Date(valid_from),
      valid_to: valid_to === null ? null : new Date(valid_to),
    })),
    parties: parties ?? [],
    readings:
      readings?.map(([startMs, durationSeconds, valueMilli, quality]) => ({
        ...{ startMs, durationSeconds, valueMilli, quality },
      })) ?? null,
    durationSeconds: shortest === null || longest === null ? null : { shortest, longest },
  }
}

/** Instants within JSON come as text. */
interface Row extends MeteringPointRow {
  paths: (Omit<PathRow, 'chain_expires'> & { chain_expires: string })[] | null
  entitlements: { customer_id: string; valid_from: string; valid_to: string | null }[] | null
  parties: ReadContext['parties'] | null
  count: number
  shortest: number | null
  longest: number | null
  readings: [startMs: number, durationSeconds: number, valueMilli: number, quality: SeriesReading['quality']][] | null
}
