import { type Database, prepared } from '@tillit/database'
import { sql } from 'kysely'
import type { PartyRow, PathRow, PermissionsTables } from '../tables.ts'

/** Everything that questions are decided on, as one snapshot of the database has it. */
export interface AccessSnapshot {
  points: PointRow[]
  paths: PathRow[]
  entitlements: EntitlementRow[]
  /** The caller and everyone on the paths, of those that are known. */
  parties: PartyRow[]
}

export type PointRow = Pick<PermissionsTables['metering.metering_point_v1'], 'id' | 'gsrn' | 'utility_did'>
export type EntitlementRow = Omit<PermissionsTables['metering.entitlement_v1'], 'role'>

/** Where a list goes on, and how much of it is wanted. */
export interface Stretch {
  after: string
  limit: number
}

export type AccessStore = ReturnType<typeof createAccessStore>

/** What the decision point reads. Ids come in the order of their bytes. */
export function createAccessStore(db: Database<PermissionsTables>) {
  const ids = async (query: ReturnType<typeof sql<{ id: string }>>): Promise<string[]> =>
    (await query.execute(db)).rows.map(({ id }) => id)
  return {
    /** One statement is one snapshot, and one round trip however many questions there are. */
    async load(asked: { points: string[]; subjects: string[]; caller: string }): Promise<AccessSnapshot> {
      const [point, subject] = [asked.points[0], asked.subjects[0]]
      // A statement of its own for the single question: PostgreSQL keeps one plan for it, and would plan lists anew each time.
      const isSingle = asked.points.length === 1 && asked.subjects.length === 1
      const points = isSingle ? sql`= ${point}` : sql`= any(${asked.points}::text[])`
      const subjects = isSingle ? sql`= ${subject}` : sql`= any(${asked.subjects}::text[])`
      const { rows } = await sql<SnapshotRow>`${prepared(isSingle ? 'load-access-one' : 'load-access')}
        with path as materialized (
          select permission_id, version, state, party_did, caller_did, metering_point_id, customer_id, scope, chain_digest,
                 chain_expires, delegation_revoked, intermediary_dids
            from permissions.path_v1
           where metering_point_id ${points} and caller_did ${subjects}
        )
        select (select json_agg(json_build_object('id', id, 'gsrn', gsrn, 'utility_did', utility_did))
                  from metering.metering_point_v1 where id ${points}) as points,
               (select json_agg(path) from path) as paths,
               (select json_agg(json_build_object('metering_point_id', metering_point_id, 'customer_id', customer_id,
                                                  'valid_from', valid_from, 'valid_to', valid_to))
                  from metering.entitlement_v1 where metering_point_id ${points}) as entitlements,
               (select json_agg(party) from credentials.party_v1 as party
                 where did = any(array(select unnest(array[party_did, caller_did] || intermediary_dids) from path)
                                 || ${asked.caller}::text)) as parties`.execute(db)
      const [row] = rows
      return {
        points: row?.points ?? [],
        paths: (row?.paths ?? []).map((path) => ({ ...path, chain_expires: new Date(path.chain_expires) })),
        entitlements: (row?.entitlements ?? []).map(({ valid_from, valid_to, ...rest }) => ({
          ...rest,
          valid_from: new Date(valid_from),
          valid_to: valid_to === null ? null : new Date(valid_to),
        })),
        parties: row?.parties ?? [],
      }
    },

    /** Parties and delegatees to whom some permission ever led to the point. */
    readersOf: (pointId: string, { after, limit }: Stretch): Promise<string[]> =>
      ids(sql`select distinct caller_did collate "C" as id from permissions.path_v1
         where metering_point_id = ${pointId} and caller_did collate "C" > ${after} order by id limit ${limit}`),

    customersOf: (pointId: string, { after, limit }: Stretch): Promise<string[]> =>
      ids(sql`select distinct customer_id collate "C" as id from metering.entitlement_v1
         where metering_point_id = ${pointId} and customer_id collate "C" > ${after} order by id limit ${limit}`),

    /** Points to which some permission ever led the party; of one utility only, unless that is null. */
    pointsOfReader: (did: string, { utilityDid, after, limit }: Stretch & OfUtility): Promise<string[]> =>
      ids(sql`select distinct path.metering_point_id collate "C" as id from permissions.path_v1 path
         where path.caller_did = ${did} and path.metering_point_id collate "C" > ${after}
           and (${utilityDid}::text is null or exists (select from metering.metering_point_v1 point
                 where point.id = path.metering_point_id and point.utility_did = ${utilityDid}))
         order by id limit ${limit}`),

    pointsOfCustomer: (customerId: string, { utilityDid, after, limit }: Stretch & OfUtility): Promise<string[]> =>
      ids(sql`select distinct e.metering_point_id collate "C" as id from metering.entitlement_v1 e
         where e.customer_id = ${customerId} and e.metering_point_id collate "C" > ${after}
           and (${utilityDid}::text is null or exists (select from metering.metering_point_v1 point
                 where point.id = e.metering_point_id and point.utility_did = ${utilityDid}))
         order by id limit ${limit}`),
  }
}

interface OfUtility {
  utilityDid: string | null
}

/** Instants within JSON come as text. */
interface SnapshotRow {
  points: PointRow[] | null
  paths: (Omit<PathRow, 'chain_expires'> & { chain_expires: string })[] | null
  entitlements: { metering_point_id: string; customer_id: string; valid_from: string; valid_to: string | null }[] | null
  parties: PartyRow[] | null
}
