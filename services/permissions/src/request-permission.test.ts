import { afterAll, beforeAll, expect, test } from 'vitest'
import { asCustomer, ask, asOrganisation, buildCity, type City, scopeOf } from './city.fixture.ts'

let city: City
beforeAll(async () => {
  city = await buildCity()
})
afterAll(() => city.close())

const post = (body: object, headers?: Record<string, string>) =>
  city.call(asOrganisation(city.adviser), 'POST', '/permission-requests', { body, ...(headers ? { headers } : {}) })

test('a request is validated, sent and waits for its customer', async () => {
  const permission = await ask(city)
  expect(permission).toMatchObject({
    state: 'SENT_TO_PERMISSION_ADMINISTRATOR',
    status: 'SENT_TO_PERMISSION_ADMINISTRATOR',
    party: { did: city.adviser.did, name: 'Sparekraft' },
    metering_point: null,
    scope: null,
  })
  const seen = await city.call(asCustomer(city.customer), 'GET', `/permissions/${permission.id}`)
  expect(seen.body).toMatchObject({ id: permission.id, metering_point: city.meteringPoint })
  const events = await city.call(asOrganisation(city.adviser), 'GET', `/permissions/${permission.id}/events`)
  expect((events.body.events as { event: string }[]).map(({ event }) => event)).toEqual([
    'created',
    'validated',
    'sent',
  ])
})

test('a metering point that does not exist gets the same answer as one that does', async () => {
  const known = await post({ scope: scopeOf(city) })
  const unknown = await post({ scope: scopeOf(city, { resources: ['gsrn:707057500000000018'] }) })
  const shape = ({ status, body }: typeof known) => [status, Object.keys(body), body.state, body.metering_point]
  expect(shape(unknown)).toEqual(shape(known))
})

test.each<[string, object, string, string]>([
  ['an unknown member', { scope: { admin: true } }, 'unknown-field', '/scope/admin'],
  ['a wrong check digit', { scope: { resources: ['gsrn:707057500000000002'] } }, 'invalid-gsrn', '/scope/resources/0'],
  [
    'an unknown purpose',
    { scope: { purpose: [{ code: 'spying', required: true }] } },
    'unknown-purpose',
    '/scope/purpose/0/code',
  ],
  [
    'a granularity that is not canonical',
    { scope: { finest_granularity: 'PT60M' } },
    'invalid-granularity',
    '/scope/finest_granularity',
  ],
  [
    'a scope finer than its purpose allows',
    { scope: { finest_granularity: 'PT1M' } },
    'scope-exceeds-purpose',
    '/scope/finest_granularity',
  ],
  [
    'a purpose it is not accredited for',
    { scope: { purpose: [{ code: 'research', required: true }] } },
    'scope-exceeds-purpose',
    '/scope/purpose',
  ],
  [
    'two metering points',
    { scope: { resources: ['gsrn:707057500000000001', 'gsrn:707057500000000018'] } },
    'invalid-scope',
    '/scope/resources',
  ],
  ['an end in the past', { scope: { expires: '2026-01-01T00:00:00Z' } }, 'invalid-scope', '/scope/expires'],
])('a request with %s is refused and nothing is stored', async (_name, change, code, pointer) => {
  const count = async () =>
    (
      await city.db
        .selectFrom('permissions.permissions')
        .select((s) => s.fn.countAll().as('n'))
        .executeTakeFirst()
    )?.n
  const before = await count()
  const { scope } = change as { scope: object }
  const reply = await post({ scope: { ...scopeOf(city), ...scope } })
  expect(reply.body).toMatchObject({ code, pointer })
  expect(await count()).toBe(before)
})

test('only an active eligible party may ask', async () => {
  const body = { scope: scopeOf(city) }
  const utility = await city.call(asOrganisation(city.utility), 'POST', '/permission-requests', { body })
  expect(utility.body).toMatchObject({ code: 'role-required' })
  const stranger = await city.call(
    { kind: 'organisation', id: 'did:web:stranger.example' },
    'POST',
    '/permission-requests',
    { body },
  )
  expect(stranger.body).toMatchObject({ code: 'party-not-active' })
})

test('the same idempotency key gives the same permission, also at once, and refuses another request', async () => {
  const body = { scope: scopeOf(city) }
  const replies = await Promise.all([1, 2, 3, 4].map(() => post(body, { 'idempotency-key': 'key-1' })))
  expect(new Set(replies.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1)
  const other = await post({ scope: scopeOf(city, { finest_granularity: 'P1D' }) }, { 'idempotency-key': 'key-1' })
  expect(other).toMatchObject({ status: 409, body: { code: 'idempotency-conflict' } })
})

test('lists are paged without gaps or repeats, and hold only what is the caller’s', async () => {
  const ids = new Set<string>()
  for (let n = 0; n < 3; n++) ids.add((await ask(city)).id)
  const seen: string[] = []
  let path = '/permissions?limit=2'
  for (;;) {
    const { body } = await city.call(asOrganisation(city.adviser), 'GET', path)
    seen.push(...(body.permissions as { id: string }[]).map(({ id }) => id))
    if (body.next === undefined) break
    path = `/permissions?limit=2&cursor=${body.next}`
  }
  expect(new Set(seen).size).toBe(seen.length)
  for (const id of ids) expect(seen).toContain(id)
  for (const other of [asOrganisation(city.processor), asCustomer(city.neighbour)]) {
    expect((await city.call(other, 'GET', '/permissions')).body).toEqual({ permissions: [] })
  }
  const wrong = await city.call(asOrganisation(city.adviser), 'GET', '/permissions?cursor=abcd')
  expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid-request' } })
})

test('who moves in later does not see what was asked of the occupant before', async () => {
  const permission = await ask(city)
  const asked = city.clock.now
  const metering = city.database.connect<{ 'metering.entitlements': Record<string, unknown> }>('metering')
  const movedIn = { metering_point_id: city.meteringPoint, customer_id: city.neighbour.id, role: 'co-occupant' }
  await metering
    .insertInto('metering.entitlements')
    .values({ ...movedIn, valid_from: new Date(asked.getTime() + 1000), valid_to: null })
    .execute()
  city.clock.now = new Date(asked.getTime() + 2000)
  const path = `/permissions/${permission.id}`
  expect(await city.call(asCustomer(city.neighbour), 'GET', path)).toMatchObject({ status: 404 })
  expect(await city.call(asCustomer(city.customer), 'GET', path)).toMatchObject({ status: 200 })
  const { body } = await city.call(asCustomer(city.neighbour), 'GET', '/permissions')
  expect(body.permissions).toEqual([])
  const since = await ask(city)
  expect(await city.call(asCustomer(city.neighbour), 'GET', `/permissions/${since.id}`)).toMatchObject({ status: 200 })
  await metering.deleteFrom('metering.entitlements').where('customer_id', '=', city.neighbour.id).execute()
  city.clock.now = asked
})

test('a permission of others does not exist for anyone else', async () => {
  const { id } = await ask(city)
  for (const path of [`/permissions/${id}`, `/permissions/${id}/events`, `/permissions/${id}/events/1/receipt`]) {
    for (const other of [asOrganisation(city.processor), asOrganisation(city.utility), asCustomer(city.neighbour)])
      expect(await city.call(other, 'GET', path)).toMatchObject({ status: 404, body: { code: 'not-found' } })
  }
  const termination = await city.call(asOrganisation(city.processor), 'POST', `/permissions/${id}/termination`)
  expect(termination).toMatchObject({ status: 404 })
})
