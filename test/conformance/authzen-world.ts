import { randomBytes } from 'node:crypto'
import { encodeId, idBytes } from '@tillit/codec'
import type { TestDatabase } from '@tillit/database'
import { gsrnCheckDigit } from '@tillit/metering'
import { type PermissionState, type Scope, scopeType } from '@tillit/schemas'
import fc from 'fast-check'

export const now = new Date('2026-03-01T12:00:00Z')

/** Who there is in each world, and how many. */
const counts = { utilities: 2, parties: 3, customers: 2, points: 4 }

interface PermissionPlan {
  party: number
  point: number
  customer: number
  state: PermissionState
  scope: Partial<Scope>
  /** A party to whom it is passed on, and whether that was taken back. */
  delegatee: number | null
  taken: boolean
}

export interface WorldPlan {
  /** Index of the utility of each point. */
  utilities: number[]
  utilityStatus: string[]
  partyStatus: string[]
  entitlements: { point: number; customer: number; ended: boolean }[]
  permissions: PermissionPlan[]
}

const one = (count: number) => fc.nat(count - 1)
const status = fc.constantFrom(...Array(6).fill('ACTIVE'), 'SUSPENDED')

/** Small enough that paths meet at the same points, and still different in all that a decision looks at. */
export const worldPlan: fc.Arbitrary<WorldPlan> = fc.record({
  utilities: fc.array(one(counts.utilities), { minLength: counts.points, maxLength: counts.points }),
  utilityStatus: fc.array(status, { minLength: counts.utilities, maxLength: counts.utilities }),
  partyStatus: fc.array(status, { minLength: counts.parties, maxLength: counts.parties }),
  entitlements: fc
    .array(fc.constantFrom('whole' as const, 'whole' as const, 'whole' as const, 'ended' as const, 'none' as const), {
      minLength: counts.points * counts.customers,
      maxLength: counts.points * counts.customers,
    })
    .map((kinds) =>
      kinds.flatMap((kind, i) => {
        const place = { point: Math.floor(i / counts.customers), customer: i % counts.customers }
        return kind === 'none' ? [] : [{ ...place, ended: kind === 'ended' }]
      }),
    ),
  permissions: fc.array(
    fc.record({
      party: one(counts.parties),
      point: one(counts.points),
      customer: one(counts.customers),
      state: fc.constantFrom<PermissionState>(...Array(8).fill('ACTIVE'), 'SUSPENDED', 'REVOKED'),
      scope: fc.record({
        actions: fc.constantFrom<Scope['actions']>(['read'], ['read'], ['read', 'stream'], ['stream']),
        finest_granularity: fc.constantFrom('PT15M', 'PT1H', 'P1D'),
        products: fc.constantFrom(['active_energy'], ['active_energy', 'voltage']),
        subject_form: fc.constantFrom<Scope['subject_form']>(...Array(5).fill('identified'), 'aggregate'),
      }),
      delegatee: fc.option(one(counts.parties)),
      taken: fc.boolean(),
    }),
    { minLength: 4, maxLength: 14 },
  ),
})

export interface World {
  utilities: string[]
  parties: string[]
  customers: string[]
  points: string[]
}

/** Plants a world of its own, with ids that no other world has, as rows of the services. */
export async function plantWorld(database: TestDatabase, plan: WorldPlan): Promise<World> {
  const world: World = {
    utilities: many(counts.utilities, () => `did:web:utility-${word()}.example`),
    parties: many(counts.parties, () => `did:web:party-${word()}.example`),
    customers: many(counts.customers, () => opaque('cust')),
    points: many(counts.points, () => opaque('mp')),
  }
  const gsrns = world.points.map(() => newGsrn())
  await insert(database, 'credentials', 'credentials.parties', [
    ...world.utilities.map((did, i) => party(did, ['utility'], plan.utilityStatus[i])),
    ...world.parties.map((did, i) => party(did, ['eligible_party'], plan.partyStatus[i])),
  ])
  await insert(
    database,
    'metering',
    'metering.metering_points',
    world.points.map((id, i) => ({
      ...{ id, gsrn: gsrns[i], grid_area: 'NO1', time_zone: 'UTC', created_at: now },
      utility_did: at(world.utilities, plan.utilities[i]),
    })),
  )
  if (plan.entitlements.length > 0)
    await insert(
      database,
      'metering',
      'metering.entitlements',
      plan.entitlements.map(({ point, customer, ended }) => ({
        ...{
          metering_point_id: at(world.points, point),
          customer_id: at(world.customers, customer),
          role: 'co-occupant',
        },
        ...{ valid_from: new Date('2025-01-01T00:00:00Z'), valid_to: ended ? new Date('2026-02-01T00:00:00Z') : null },
      })),
    )
  for (const permission of plan.permissions) await plantPermission(database, world, { ...permission, gsrns })
  return world
}

async function plantPermission(
  database: TestDatabase,
  world: World,
  { party, point, customer, state, scope, delegatee, taken, gsrns }: PermissionPlan & { gsrns: string[] },
): Promise<void> {
  const id = opaque('perm')
  const partyDid = at(world.parties, party)
  const whole = JSON.stringify(scopeAt(at(gsrns, point), scope))
  const dates = { expires_at: new Date('2027-01-01T00:00:00Z'), times_out_at: now, created_at: now, changed_at: now }
  await insert(database, 'permissions', 'permissions.permissions', [
    {
      ...{ id, state, party_did: partyDid, party_name: 'Party', party_key: 'k'.repeat(43), gsrn: at(gsrns, point) },
      ...{
        requested_scope: whole,
        requested_scope_digest: '0'.repeat(64),
        scope: whole,
        root_statement: 'root',
        ...dates,
      },
      ...{ metering_point_id: at(world.points, point), customer_id: at(world.customers, customer) },
    },
  ])
  if (delegatee === null || delegatee === party) return
  const digests = [digest(), digest()]
  await insert(database, 'permissions', 'permissions.delegations', [
    {
      ...{ chain_digest: digest(), permission_id: id, jti: word(), delegator_did: partyDid, hop_digests: digests },
      ...{ delegatee_did: at(world.parties, delegatee), chain: '[]', scope: whole },
      ...{ expires_at: new Date('2027-01-01T00:00:00Z'), created_at: now },
    },
  ])
  if (!taken) return
  await insert(database, 'permissions', 'permissions.delegation_revocations', [
    { hop_digest: digests[1], permission_id: id, delegator_did: partyDid, jti: word(), revoked_at: now },
  ])
}

type Row = Record<string, unknown>
const handles = new WeakMap<TestDatabase, Map<string, ReturnType<TestDatabase['connect']>>>()

async function insert(
  database: TestDatabase,
  schema: 'credentials' | 'metering' | 'permissions',
  table: string,
  rows: Row[],
): Promise<void> {
  const known = handles.get(database) ?? new Map()
  handles.set(database, known)
  const handle = known.get(schema) ?? database.connect<Record<string, Row>>(schema, { maxConnections: 1 })
  known.set(schema, handle)
  await handle.insertInto(table).values(rows).execute()
}

function party(did: string, roles: string[], status = 'ACTIVE'): Row {
  const registered = { name: did, registration_number: did, country: 'NO', changed_at: now }
  return { did, roles, status, purposes: ['energy-advice'], ...registered }
}

function scopeAt(gsrn: string, change: Partial<Scope>): Scope {
  return {
    ...{ type: scopeType, actions: ['read'], datatypes: ['validated_history'], resources: [`gsrn:${gsrn}`] },
    ...{ products: ['active_energy'], directions: ['consumption'], finest_granularity: 'PT1H', delivery: ['pull'] },
    ...{ period: { from: '2025-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' }, subject_form: 'identified' },
    ...{ purpose: [{ code: 'energy-advice', required: true }], legal_basis: 'eu-gdpr:A6-1-a', eprivacy_basis: null },
    ...{ expires: '2027-01-01T00:00:00Z', delete_after: 'P30D', countries: ['NO'], data_need: null },
    delegation: { max_depth: 1, recipients: ['did:web:cloud.example'] },
    ...change,
  }
}

const word = () => randomBytes(8).toString('hex')
const digest = () => randomBytes(32).toString('hex')
const opaque = (prefix: string) => encodeId(prefix, new Uint8Array(randomBytes(idBytes)))
const many = (count: number, make: () => string) => Array.from({ length: count }, make)

let gsrnsMade = 0
function newGsrn(): string {
  const digits = `7070575${String(++gsrnsMade).padStart(10, '0')}`
  return `${digits}${gsrnCheckDigit(digits)}`
}

function at<Value>(values: readonly Value[], index: number | undefined): Value {
  const value = values[index ?? -1]
  if (value === undefined) throw new Error(`there is no number ${index}`)
  return value
}
