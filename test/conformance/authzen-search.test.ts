import { type TestDatabase, testDatabase } from '@tillit/database'
import type { Caller } from '@tillit/http'
import { isProblem } from '@tillit/problem'
import type { EvaluationRequest, EvaluationResponse } from '@tillit/schemas'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AccessStore, createAccessStore } from '../../services/permissions/src/authzen/access-store.ts'
import type { AccessContext } from '../../services/permissions/src/authzen/access-world.ts'
import { evaluateAccess } from '../../services/permissions/src/authzen/evaluate-access.ts'
import { evaluateAccesses } from '../../services/permissions/src/authzen/evaluate-accesses.ts'
import { searchActions, searchResources, searchSubjects } from '../../services/permissions/src/authzen/search-access.ts'
import type { PermissionsTables } from '../../services/permissions/src/tables.ts'
import { now, plantWorld, type World, type WorldPlan, worldPlan } from './authzen-world.ts'

const numRuns = 40

let database: TestDatabase
let access: AccessStore
beforeAll(async () => {
  database = await testDatabase()
  access = createAccessStore(database.connect<PermissionsTables>('permissions'))
})
afterAll(() => database.drop())

interface Entity {
  type: string
  id: string
}

/** Everyone and everything that could be asked about. */
function entitiesOf({ utilities, parties, customers, points }: World) {
  const dids = [...utilities, ...parties].map((id) => ({ type: 'did', id }))
  return {
    dids,
    customers: customers.map((id) => ({ type: 'customer', id })),
    points: points.map((id) => ({ type: 'metering_point', id })),
  }
}

const asking = fc.record({
  plan: worldPlan,
  asker: fc.oneof(fc.constantFrom('utility' as const, 'subject' as const), fc.nat(6)),
  // The utilities come first.
  subject: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 2, max: 6 }) }, { weight: 1, arbitrary: fc.nat(1) }),
  point: fc.nat(3),
  action: fc.constantFrom('read', 'read', 'read', 'stream', 'write', 'fly'),
  context: fc.record(
    {
      granularity: fc.constantFrom('PT15M', 'P1D', 'P1D'),
      product: fc.constantFrom('active_energy', 'active_energy', 'voltage'),
      from: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-15T00:00:00Z', '2024-01-01T00:00:00Z'),
      to: fc.constantFrom('2026-01-31T00:00:00Z', '2026-02-20T00:00:00Z'),
    },
    { requiredKeys: [] },
  ),
  limit: fc.constantFrom(1, 2, 3, 100),
})

interface Asking {
  asker: AccessContext
  subject: Entity
  point: Entity
  everyone: Entity[]
  everywhere: Entity[]
  action: { name: string }
  context: Record<string, unknown>
  limit: number
}

async function inWorld({ plan, ...chosen }: { plan: WorldPlan } & Chosen): Promise<Asking> {
  const { dids, customers, points } = entitiesOf(await plantWorld(database, plan))
  const everyone = [...dids, ...customers]
  const askers = { utility: plan.utilities[chosen.point], subject: chosen.subject }
  const self = everyone[(typeof chosen.asker === 'number' ? chosen.asker : askers[chosen.asker]) ?? -1]
  const [subject, point] = [everyone[chosen.subject], points[chosen.point]]
  if (!self || !subject || !point) throw new Error('the world lacks somebody')
  const kind = self.type === 'customer' ? 'customer' : 'organisation'
  const caller: Caller = { kind, id: self.id, jkt: '', clientId: self.id }
  const { context, limit } = chosen
  return {
    asker: { access, ports: { now: () => now }, caller },
    subject,
    point,
    everyone,
    everywhere: points,
    action: { name: chosen.action },
    context,
    limit,
  }
}

interface Chosen {
  asker: 'utility' | 'subject' | number
  subject: number
  point: number
  action: string
  context: Record<string, unknown>
  limit: number
}

/** What is refused is not permitted. */
async function isPermitted(request: EvaluationRequest, asker: AccessContext): Promise<boolean> {
  return (await orRefusal(() => evaluateAccess(request, asker)))?.decision === true
}

/** Null: the caller may not ask. */
async function orRefusal<Value>(work: () => Promise<Value>): Promise<Value | null> {
  try {
    return await work()
  } catch (error) {
    if (isProblem(error, 'access-denied')) return null
    throw error
  }
}

async function filtered<Value>(values: Value[], isIn: (value: Value) => Promise<boolean>): Promise<Value[]> {
  const kept: Value[] = []
  for (const value of values) if (await isIn(value)) kept.push(value)
  return kept
}

/** Every page, one after the other; null: the caller may not ask. */
async function everyPage<Result>(
  limit: number,
  search: (page: {
    limit: number
    token?: string
  }) => Promise<{ page: { next_token: string; count: number }; results: Result[] }>,
): Promise<Result[] | null> {
  const all: Result[] = []
  let token: string | undefined
  do {
    const asked = token === undefined ? { limit } : { limit, token }
    const found = await orRefusal(() => search(asked))
    if (found === null) return null
    expect(found.results.length).toBeLessThanOrEqual(limit)
    expect(found.page.count).toBe(found.results.length)
    all.push(...found.results)
    token = found.page.next_token
  } while (token !== '')
  return all
}

const byId = (entities: Entity[]) => entities.map(({ id }) => id).sort()

let [found, refused] = [0, 0]
const count = (results: unknown[] | null) => {
  if (results === null) refused++
  else found += results.length
}

test('a search for resources finds exactly the metering points at which an evaluation permits', async () => {
  await fc.assert(
    fc.asyncProperty(asking, async (chosen) => {
      const { asker, subject, action, context, limit, everywhere } = await inWorld(chosen)
      const resource = { type: 'metering_point' }
      const results = await everyPage(limit, (page) =>
        searchResources({ subject, action, resource, context, page }, asker),
      )
      const permitted = await filtered(everywhere, (point) =>
        isPermitted({ subject, action, resource: point, context }, asker),
      )
      count(results)
      expect((results ?? []).map(({ id }) => id)).toEqual(byId(permitted))
    }),
    { numRuns },
  )
})

test('a search for subjects finds exactly those whom an evaluation permits, and only the utility may ask', async () => {
  await fc.assert(
    fc.asyncProperty(asking, fc.constantFrom('did', 'customer'), async (chosen, type) => {
      const { asker, point, action, context, limit, everyone } = await inWorld(chosen)
      const results = await everyPage(limit, (page) =>
        searchSubjects({ subject: { type }, action, resource: point, context, page }, asker),
      )
      count(results)
      const others = everyone.filter((one) => one.type === type && one.id !== asker.caller.id)
      const permitted = await filtered(others, (subject) =>
        isPermitted({ subject, action, resource: point, context }, asker),
      )
      expect((results ?? []).map(({ id }) => id).filter((id) => id !== asker.caller.id)).toEqual(byId(permitted))
    }),
    { numRuns },
  )
})

test('a search for actions finds exactly those that an evaluation permits', async () => {
  await fc.assert(
    fc.asyncProperty(asking, async (chosen) => {
      const { asker, subject, point, context, limit } = await inWorld(chosen)
      const results = await everyPage(limit, (page) =>
        searchActions({ subject, resource: point, context, page }, asker),
      )
      count(results)
      const permitted = await filtered(['fly', 'read', 'stream', 'write'], (name) =>
        isPermitted({ subject, action: { name }, resource: point, context }, asker),
      )
      expect((results ?? []).map(({ name }) => name)).toEqual(permitted)
    }),
    { numRuns },
  )
})

test('the worlds hold what is found as well as what is refused', () => {
  expect(found).toBeGreaterThan(5)
  expect(refused).toBeGreaterThan(5)
})

test('evaluations answer as single evaluations do, as far as the semantic goes', async () => {
  const semantic = fc.constantFrom(
    'execute_all' as const,
    'deny_on_first_deny' as const,
    'permit_on_first_permit' as const,
  )
  await fc.assert(
    fc.asyncProperty(asking, semantic, async (chosen, evaluations_semantic) => {
      const { asker, everyone, everywhere, action, context } = await inWorld(chosen)
      const questions = everyone.flatMap((subject) => everywhere.map((resource) => ({ subject, resource })))
      const request = { action, context, evaluations: questions, options: { evaluations_semantic } }
      const { evaluations = [] } = await evaluateAccesses(request, asker)
      const singles: (EvaluationResponse | null)[] = []
      for (const question of questions)
        singles.push(await orRefusal(() => evaluateAccess({ ...question, action, context }, asker)))
      const end = singles.findIndex((answer) => {
        if (evaluations_semantic === 'deny_on_first_deny') return answer?.decision !== true
        return evaluations_semantic === 'permit_on_first_permit' && answer?.decision === true
      })
      const wanted = end < 0 ? singles : singles.slice(0, end + 1)
      expect(evaluations.length).toBe(wanted.length)
      for (const [i, single] of wanted.entries())
        if (single === null)
          expect(evaluations[i]).toMatchObject({ decision: false, context: { error: { status: 403 } } })
        else expect(evaluations[i]).toEqual(single)
    }),
    { numRuns: 15 },
  )
})
