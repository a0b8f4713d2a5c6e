import type { Caller } from '@tillit/http'
import {
  type OwnDataPath,
  type Ownership,
  type PathParty,
  type PermissionPath,
  type PreparedPath,
  preparePath,
} from '@tillit/policy'
import type { PurposeCatalogue } from '@tillit/schemas'
import type { PermissionsPorts } from '../ports.ts'
import type { PartyRow, PathRow } from '../tables.ts'
import type { AccessSnapshot, AccessStore, PointRow } from './access-store.ts'

export interface Subject {
  type: string
  id: string
}

export interface Resource {
  type: string
  id: string
}

/** Who asks, and what the answers are made from. */
export interface AccessContext {
  access: AccessStore
  ports: Pick<PermissionsPorts, 'now' | 'catalogue'>
  caller: Caller
}

/** What is known about the points and subjects that were asked about. */
export interface AccessWorld {
  /** Undefined when there is no such metering point. */
  point(resource: Resource): PointRow | undefined
  party(did: string): PartyRow | undefined
  /** The subject's ways to the data of the point. */
  paths(point: PointRow, subject: Subject): readonly PreparedPath[]
}

const pointId = /^mp_[A-Za-z0-9_-]{22}$/
/** Whom nobody can be is not looked for. */
const subjectIds = new Map([
  ['did', /^did:[a-z0-9]+:[A-Za-z0-9._:%-]+$/],
  ['customer', /^cust_[A-Za-z0-9_-]{22}$/],
])

/** Loads what concerns the subjects at the resources, from one snapshot. */
export async function loadWorld(
  { subjects, resources }: { subjects: readonly Subject[]; resources: readonly Resource[] },
  { access, caller, ports }: AccessContext,
): Promise<AccessWorld> {
  const dids = subjects.filter((subject) => subject.type === 'did' && isKnowable(subject))
  const snapshot = await access.load({
    points: idsOf(resources.filter(isPoint)),
    subjects: idsOf(dids),
    caller: caller.id,
  })
  return worldOf(snapshot, ports.catalogue)
}

function idsOf(entities: readonly { id: string }[]): string[] {
  return [...new Set(entities.map(({ id }) => id))]
}

/** Whether there could be a subject of that type and id. */
export function isKnowable({ type, id }: Subject): boolean {
  return subjectIds.get(type)?.test(id) === true
}

function isPoint({ type, id }: Resource): boolean {
  return type === 'metering_point' && pointId.test(id)
}

function worldOf(snapshot: AccessSnapshot, catalogue: PurposeCatalogue | undefined): AccessWorld {
  const points = new Map(snapshot.points.map((point) => [point.id, point]))
  const parties = new Map(snapshot.parties.map((party) => [party.did, party]))
  const rows = Map.groupBy(snapshot.paths, (row) => `${row.metering_point_id} ${row.caller_did}`)
  const entitlements = Map.groupBy(snapshot.entitlements, (row) => row.metering_point_id)
  const prepared = new Map<string, readonly PreparedPath[]>()

  const ownershipOf = (id: string, customerId: string): Ownership[] =>
    (entitlements.get(id) ?? [])
      .filter(({ customer_id }) => customer_id === customerId)
      .map(({ valid_from, valid_to }) => ({ from: valid_from, to: valid_to }))

  const prepare = (point: PointRow, subject: Subject): PreparedPath[] => {
    if (subject.type === 'customer') return ownPaths(point, subject.id, ownershipOf(point.id, subject.id))
    if (subject.type !== 'did') return []
    return (rows.get(`${point.id} ${subject.id}`) ?? []).map((row) => {
      const path = permissionPath(row, { parties, ownership: ownershipOf(point.id, row.customer_id) })
      return preparePath(path, catalogue ? { catalogue } : {})
    })
  }

  return {
    point: (resource) => (resource.type === 'metering_point' ? points.get(resource.id) : undefined),
    party: (did) => parties.get(did),
    paths: (point, subject) => {
      const key = `${point.id} ${subject.type} ${subject.id}`
      const known = prepared.get(key)
      if (known) return known
      const made = prepare(point, subject)
      prepared.set(key, made)
      return made
    },
  }
}

/** A customer whose point it never was learns no more than that of a point that does not exist. */
function ownPaths({ gsrn }: PointRow, customerId: string, ownership: Ownership[]): PreparedPath[] {
  if (ownership.length === 0) return []
  const path: OwnDataPath = { kind: 'own-data', id: 'own-data', customerId, resource: `gsrn:${gsrn}`, ownership }
  return [preparePath(path)]
}

function permissionPath(
  row: PathRow,
  { parties, ownership }: { parties: ReadonlyMap<string, PartyRow>; ownership: Ownership[] },
): PermissionPath {
  const delegated = row.caller_did !== row.party_did
  const between = delegated ? [row.party_did, ...row.intermediary_dids, row.caller_did] : [row.party_did]
  return {
    kind: 'permission',
    id: delegated ? `${row.permission_id}#${row.chain_digest}` : row.permission_id,
    permissionId: row.permission_id,
    version: row.version,
    state: row.state,
    partyDid: row.party_did,
    callerDid: row.caller_did,
    parties: between.map((did) => parties.get(did) ?? unknownParty(did)),
    scope: row.scope,
    expires: row.chain_expires,
    delegationRevoked: row.delegation_revoked,
    ownership,
  }
}

/** Whom the trust registry does not know may do nothing. */
function unknownParty(did: string): PathParty {
  return { did, status: 'UNKNOWN', roles: [], purposes: [], country: '' }
}
