import type { TestCaller } from '@tillit/http'
import { parseJws, verifyJws } from '@tillit/keys'
import type { EvaluationResponse } from '@tillit/schemas'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authorityDid, buildCity, type City } from '../../services/permissions/src/city.fixture.ts'
import { plantWorld, type World, type WorldPlan } from './authzen-world.ts'

/** Sections and cases follow the certification scenario of the OpenID AuthZEN working group for Authorization API 1.0. */
const permit = { party: 0, customer: 0, state: 'ACTIVE' as const, scope: {}, delegatee: null, taken: false }
const plan: WorldPlan = {
  utilities: [0, 0, 0, 1],
  utilityStatus: ['ACTIVE', 'ACTIVE'],
  partyStatus: ['ACTIVE', 'ACTIVE', 'ACTIVE'],
  entitlements: [0, 1, 2, 3].map((point) => ({ point, customer: 0, ended: false })),
  permissions: [
    { ...permit, point: 0, delegatee: 2 },
    { ...permit, point: 1 },
    { ...permit, point: 2, scope: { actions: ['read', 'stream'] } },
    { ...permit, point: 3 },
    { ...permit, point: 0, party: 1, state: 'REVOKED' },
  ],
}

let city: City
let world: World
beforeAll(async () => {
  city = await buildCity()
  world = await plantWorld(city.database, plan)
})
afterAll(() => city.close())

const organisation = (did: string | undefined): TestCaller => ({ kind: 'organisation', id: String(did) })
const did = (id: string | undefined) => ({ type: 'did', id: String(id) })
const customer = (index: number) => ({ type: 'customer', id: String(world.customers[index]) })
const point = (index: number) => ({ type: 'metering_point', id: String(world.points[index]) })
const asParty = (index = 0) => organisation(world.parties[index])
const asUtility = (index = 0) => organisation(world.utilities[index])
const asCustomer = (index = 0): TestCaller => ({ kind: 'customer', id: String(world.customers[index]) })
const read = { name: 'read' }
const nobody = `mp_${'A'.repeat(22)}`

interface Sent {
  status: number
  headers: Record<string, unknown>
  body: Record<string, unknown> & { evaluations?: EvaluationResponse[] }
}

const ask = async (
  caller: TestCaller | null,
  what: string,
  payload: unknown,
  headers: Record<string, string> = {},
): Promise<Sent> => {
  const url = `/access/v1/${what}`
  const reply = await city.app.inject({
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json',
      ...(caller === null ? {} : await city.headersOf(caller, 'POST', url)),
      ...headers,
    },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  })
  return { status: reply.statusCode, headers: reply.headers, body: reply.json() }
}
const decisions = ({ body }: Sent) => body.evaluations?.map(({ decision }) => decision)
const question = () => ({ subject: did(world.parties[0]), action: read, resource: point(0) })

describe('evaluation', () => {
  test('a permit and a deny are both answers, and what the specification does not know is ignored', async () => {
    const own = question()
    expect(await ask(asParty(), 'evaluation', own)).toMatchObject({ status: 200, body: { decision: true } })
    for (const extra of [
      { context: { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' } },
      { foo: 'bar', futureField: { nested: true } },
      { action: { ...read, properties: { method: 'GET' } }, resource: { ...point(0), properties: { owner: 'bob' } } },
      { subject: { ...own.subject, identity: 'ours', properties: { department: 'Sales' } } },
    ])
      expect(await ask(asParty(), 'evaluation', { ...own, ...extra })).toMatchObject({
        status: 200,
        body: { decision: true },
      })
    for (const name of ['write', 'stream', 'can_read_todos', 'toString', ''])
      expect(await ask(asParty(), 'evaluation', { ...own, action: { name } })).toMatchObject({
        status: 200,
        body: { decision: false },
      })
  })

  test('members that lack or have the wrong type are a bad request', async () => {
    const own = question()
    const wrong: unknown[] = [
      { action: read, resource: point(0) },
      { subject: own.subject, resource: point(0) },
      { subject: own.subject, action: read },
      { ...own, subject: { id: own.subject.id } },
      { ...own, subject: { type: 'did' } },
      { ...own, subject: own.subject.id },
      { ...own, subject: [own.subject] },
      { ...own, subject: { ...own.subject, properties: 'none' } },
      { ...own, action: {} },
      { ...own, action: { name: 123 } },
      { ...own, action: 'read' },
      { ...own, resource: { type: 'metering_point' } },
      { ...own, resource: { id: own.resource.id } },
      { ...own, resource: { ...own.resource, id: 7 } },
      { ...own, resource: null },
      { ...own, context: 'now' },
      { ...own, context: [] },
      { ...own, context: { granularity: 15 } },
      { ...own, context: { from: 'yesterday' } },
      [own],
      'null',
      '',
      '{"subject":',
      `${JSON.stringify(own).slice(0, -1)},"subject":{"type":"did","id":"did:web:other.example"}}`,
    ]
    for (const body of wrong)
      expect(await ask(asParty(), 'evaluation', body), JSON.stringify(body)).toMatchObject({ status: 400 })
  })

  test('what is not JSON is a bad request', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])
      expect(await ask(asParty(), 'evaluation', question(), { 'content-type': type })).toMatchObject({ status: 400 })
  })

  test('one may ask about oneself, the utility about anyone at its own points, and nobody else learns anything', async () => {
    expect(await ask(asCustomer(), 'evaluation', { ...question(), subject: customer(0) })).toMatchObject({
      body: { decision: true },
    })
    expect(await ask(asUtility(), 'evaluation', question())).toMatchObject({ body: { decision: true } })
    const refused = await ask(asParty(1), 'evaluation', question())
    expect(refused).toMatchObject({ status: 403, body: { code: 'access-denied' } })
    const others: [TestCaller, object][] = [
      [asParty(1), { ...question(), resource: { type: 'metering_point', id: nobody } }],
      [asParty(1), { ...question(), resource: { type: 'record', id: 'record-1' } }],
      [asParty(1), { ...question(), subject: did('did:web:nobody.example') }],
      [asUtility(1), question()],
      [asUtility(1), { ...question(), resource: { type: 'metering_point', id: nobody } }],
      [asCustomer(), question()],
      [asCustomer(), { ...question(), subject: customer(1) }],
      [asParty(), { ...question(), subject: { type: 'user', id: world.parties[0] } }],
      [asParty(), { ...question(), subject: { type: 'did', id: 'did:web:a\u0000b.example' } }],
    ]
    for (const [caller, body] of others) {
      const { status, body: told } = await ask(caller, 'evaluation', body)
      expect({ status, detail: told.detail }).toEqual({ status: 403, detail: refused.body.detail })
    }
  })

  test('a foreign metering point and none are answered in the same words', async () => {
    const none = { type: 'metering_point', id: nobody }
    for (const [caller, subject] of [
      [asParty(1), did(world.parties[1])],
      [asCustomer(1), customer(1)],
    ] as const) {
      const foreign = await ask(caller, 'evaluation', { subject, action: read, resource: point(1) })
      const absent = await ask(caller, 'evaluation', { subject, action: read, resource: none })
      expect(foreign.body).toEqual(absent.body)
      expect(foreign.body).toMatchObject({ decision: false })
    }
  })

  test('a utility that is no longer accredited may not ask about others', async () => {
    const suspended = await plantWorld(city.database, { ...plan, utilityStatus: ['SUSPENDED', 'ACTIVE'] })
    const [utility, party, place] = [suspended.utilities[0], suspended.parties[0], suspended.points[0]]
    const body = { subject: did(party), action: read, resource: { type: 'metering_point', id: place } }
    expect(await ask(organisation(utility), 'evaluation', body)).toMatchObject({ status: 403 })
    expect(await ask(organisation(party), 'evaluation', body)).toMatchObject({ body: { decision: true } })
    expect(
      await ask(organisation(utility), 'search/resource', { ...body, resource: { type: 'metering_point' } }),
    ).toMatchObject({ status: 403 })
  })
})

describe('the request identifier', () => {
  test('comes back as it is, also with errors', async () => {
    const identifier = 'bfe9eb29 {"any": "string"} ÿ'
    const header = { 'x-request-id': identifier }
    for (const [status, caller, body] of [
      [200, asParty(), question()],
      [400, asParty(), {}],
      [400, asParty(), '{'],
      [403, asParty(1), question()],
      [401, null, question()],
    ] as const)
      for (const what of ['evaluation', 'evaluations'])
        expect(await ask(caller, what, body, header)).toMatchObject({ status, headers: { 'x-request-id': identifier } })
  })

  test('is made up where there was none', async () => {
    expect((await ask(asParty(), 'evaluation', question())).headers['x-request-id']).toMatch(/^request-/)
  })
})

describe('evaluations', () => {
  test('top-level members are defaults, and a member of its own takes their place', async () => {
    const answer = await ask(asParty(), 'evaluations', {
      subject: did(world.parties[0]),
      action: read,
      resource: { type: 'metering_point', properties: { from: 'the default' } },
      context: { granularity: 'PT15M' },
      evaluations: [
        { resource: point(0) },
        { resource: point(0), context: { granularity: 'PT1H' } },
        { resource: point(0), context: {} },
        { resource: { id: point(1).id }, context: {} },
        { resource: point(2), action: { name: 'stream' }, context: {} },
        { resource: point(0), action: { name: 'stream' }, context: {} },
      ],
    })
    expect(answer.status).toBe(200)
    expect(decisions(answer)).toEqual([false, true, true, true, true, false])
    expect(answer.body).not.toHaveProperty('decision')
  })

  test('a fault in one is its own, and the others are answered', async () => {
    const answer = await ask(asParty(), 'evaluations', {
      subject: did(world.parties[0]),
      action: read,
      evaluations: [
        { resource: point(0) },
        {},
        { resource: 'record-1' },
        { resource: point(0), subject: did(world.parties[1]) },
        { resource: point(0), context: { from: 7 } },
        { resource: point(1), futureField: 1 },
      ],
    })
    expect(answer.status).toBe(200)
    expect(decisions(answer)).toEqual([true, false, false, false, false, true])
    expect(answer.body.evaluations?.map(({ context }) => Object(context).error?.status)).toEqual([
      ...[undefined, 400, 400, 403, 400, undefined],
    ])
  })

  test('each semantic ends where it says', async () => {
    const evaluations = [point(0), point(3), { ...point(0), id: nobody }, point(1)].map((resource) => ({ resource }))
    const given = { subject: did(world.parties[0]), action: read, evaluations }
    const by = async (evaluations_semantic: string, reversed = false) =>
      decisions(
        await ask(asParty(), 'evaluations', {
          ...given,
          evaluations: reversed ? evaluations.slice(2) : evaluations,
          options: { evaluations_semantic, another_option: 'value' },
        }),
      )
    expect(decisions(await ask(asParty(), 'evaluations', given))).toEqual([true, true, false, true])
    expect(await by('execute_all')).toEqual([true, true, false, true])
    expect(await by('deny_on_first_deny')).toEqual([true, true, false])
    expect(await by('permit_on_first_permit')).toEqual([true])
    expect(await by('permit_on_first_permit', true)).toEqual([false, true])
    // An error is a denial.
    const withError = { ...given, evaluations: [{}, { resource: point(0) }] }
    const options = { evaluations_semantic: 'deny_on_first_deny' }
    expect(decisions(await ask(asParty(), 'evaluations', { ...withError, options }))).toEqual([false])
  })

  test('without evaluations it is a single one', async () => {
    for (const body of [question(), { ...question(), evaluations: [] }]) {
      const { body: single } = await ask(asParty(), 'evaluation', question())
      expect((await ask(asParty(), 'evaluations', body)).body).toEqual(single)
    }
    expect(await ask(asParty(), 'evaluations', { evaluations: [] })).toMatchObject({ status: 400 })
    expect(await ask(asParty(1), 'evaluations', question())).toMatchObject({ status: 403 })
  })

  test('a body that is wrong as a whole is a bad request', async () => {
    const evaluations = [question()]
    for (const body of [
      { evaluations: question() },
      { evaluations: ['all'] },
      { evaluations, subject: 'alice' },
      { evaluations, subject: { type: 1 } },
      { evaluations, action: { name: null } },
      { evaluations, context: 'now' },
      { evaluations, options: 'execute_all' },
      { evaluations, options: { evaluations_semantic: 'first_come' } },
      { evaluations: Array.from({ length: 201 }, question) },
    ])
      expect(await ask(asParty(), 'evaluations', body)).toMatchObject({ status: 400 })
    const most = { evaluations: Array.from({ length: 200 }, question) }
    expect(decisions(await ask(asParty(), 'evaluations', most))).toEqual(Array(200).fill(true))
  })

  test('requests of the shape of the Todo interop are read, and deny whoever is not known here', async () => {
    const todo = (name: string) => ({
      subject: { type: 'user', id: 'someone@todo.example', identity: 'an-opaque-token' },
      action: { name },
      resource: { type: 'todo', id: 'todo-1', ownerID: 'someone@todo.example', properties: { ownerID: 'x' } },
    })
    const names = ['can_read_user', 'can_read_todos', 'can_create_todo', 'can_update_todo', 'can_delete_todo']
    expect(await ask(asUtility(), 'evaluation', todo('can_read_todos'))).toMatchObject({ status: 403 })
    const { subject } = todo('')
    const boxcarred = { subject, evaluations: names.map((name) => ({ ...todo(name), subject: undefined })) }
    expect(decisions(await ask(asUtility(), 'evaluations', boxcarred))).toEqual(names.map(() => false))
  })
})

describe('search', () => {
  const idsOf = ({ body }: Sent) => (body.results as { id: string }[]).map(({ id }) => id)
  const sorted = (...ids: (string | undefined)[]) => [...ids].sort()

  test('the utility finds the subjects of a type that may do something at its point', async () => {
    const parties = { subject: { type: 'did' }, action: read, resource: point(0) }
    const found = await ask(asUtility(), 'search/subject', parties)
    expect(found).toMatchObject({ status: 200, body: { page: { next_token: '', count: 2 } } })
    expect(Object.keys(found.body)[0]).toBe('page')
    expect(idsOf(found)).toEqual(sorted(world.parties[0], world.parties[2]))
    const ignored = { ...parties, subject: { type: 'did', id: world.parties[1] } }
    expect((await ask(asUtility(), 'search/subject', ignored)).body).toEqual(found.body)
    const people = { ...parties, subject: { type: 'customer' }, context: { time: 'any' } }
    expect(idsOf(await ask(asUtility(), 'search/subject', people))).toEqual([world.customers[0]])
    for (const nothing of [
      { subject: { type: 'spaceship' } },
      { action: { name: 'fly' } },
      { action: { name: 'write' } },
    ])
      expect(idsOf(await ask(asUtility(), 'search/subject', { ...parties, ...nothing }))).toEqual([])
  })

  test('nobody but the utility of the point finds subjects', async () => {
    const at = (resource: object) => ({ subject: { type: 'did' }, action: read, resource })
    const refused: [TestCaller, object][] = [
      [asParty(), at(point(0))],
      [asCustomer(), at(point(0))],
      [asUtility(1), at(point(0))],
      [asUtility(), at(point(3))],
      [asUtility(), at({ type: 'metering_point', id: nobody })],
      [asUtility(), at({ type: 'record', id: 'record-1' })],
    ]
    const answers = new Set<string>()
    for (const [caller, body] of refused) {
      const { status, body: told } = await ask(caller, 'search/subject', body)
      answers.add(`${status} ${told.code} ${told.detail}`)
    }
    expect([...answers]).toEqual(['403 access-denied Only the utility of a metering point may ask about others'])
  })

  test('everyone finds the points of their own, and a utility those of its own that others reach', async () => {
    const places = { subject: did(world.parties[0]), action: read, resource: { type: 'metering_point', id: 'ignored' } }
    expect(idsOf(await ask(asParty(), 'search/resource', places))).toEqual(sorted(...world.points))
    expect(idsOf(await ask(asUtility(), 'search/resource', places))).toEqual(sorted(...world.points.slice(0, 3)))
    expect(idsOf(await ask(asUtility(1), 'search/resource', places))).toEqual([world.points[3]])
    expect(idsOf(await ask(asParty(1), 'search/resource', { ...places, subject: did(world.parties[1]) }))).toEqual([])
    expect(idsOf(await ask(asParty(2), 'search/resource', { ...places, subject: did(world.parties[2]) }))).toEqual([
      world.points[0],
    ])
    expect(idsOf(await ask(asCustomer(), 'search/resource', { ...places, subject: customer(0) }))).toEqual(
      sorted(...world.points),
    )
    expect(idsOf(await ask(asUtility(), 'search/resource', { ...places, subject: { type: 'user', id: 'x' } }))).toEqual(
      [],
    )
    expect(idsOf(await ask(asParty(), 'search/resource', { ...places, resource: { type: 'record' } }))).toEqual([])
    expect(await ask(asParty(1), 'search/resource', places)).toMatchObject({ status: 403 })
    expect(await ask(asCustomer(1), 'search/resource', { ...places, subject: customer(0) })).toMatchObject({
      status: 403,
    })
  })

  test('actions are found for oneself, and by the utility', async () => {
    const what = { subject: did(world.parties[0]), resource: point(2), context: { time: 'any' } }
    const found = { page: { next_token: '', count: 2 }, results: [{ name: 'read' }, { name: 'stream' }] }
    expect((await ask(asParty(), 'search/action', what)).body).toEqual(found)
    expect((await ask(asUtility(), 'search/action', { ...what, action: { name: 'fly' } })).body).toEqual(found)
    const unknown = { ...what, subject: did('did:web:nobody.example') }
    expect((await ask(asUtility(), 'search/action', unknown)).body.results).toEqual([])
    expect(await ask(asParty(1), 'search/action', what)).toMatchObject({ status: 403 })
    expect(await ask(asUtility(1), 'search/action', what)).toMatchObject({ status: 403 })
  })

  test('pages follow each other by their token, which remembers the limit', async () => {
    const places = { subject: did(world.parties[0]), action: read, resource: { type: 'metering_point' } }
    const page = async (asked: object) => ask(asParty(), 'search/resource', { ...places, page: asked })
    const first = await page({ limit: 3 })
    const { next_token: token } = first.body.page as { next_token: string }
    expect(first.body.page).toEqual({ next_token: expect.stringMatching(/./), count: 3 })
    const second = await page({ token })
    expect(second.body.page).toEqual({ next_token: '', count: 1 })
    expect([...idsOf(first), ...idsOf(second)]).toEqual(sorted(...world.points))
    expect((await page({ token, limit: 3 })).body).toEqual(second.body)
    expect((await page({ limit: 0 })).body).toEqual({
      page: { next_token: expect.stringMatching(/./), count: 0 },
      results: [],
    })
    expect((await page({ limit: 1_000_000 })).body.page).toEqual({ next_token: '', count: 4 })
    expect((await page({})).body.page).toEqual({ next_token: '', count: 4 })
  })

  test('a token is for the same request of the same caller only', async () => {
    const places = { subject: did(world.parties[0]), action: read, resource: { type: 'metering_point' } }
    const { body } = await ask(asParty(), 'search/resource', { ...places, page: { limit: 1 } })
    const { next_token: token } = body.page as { next_token: string }
    const changed: object[] = [
      { page: { token, limit: 2 } },
      { page: { token, properties: { sort: 'id' } } },
      { page: { token }, action: { name: 'stream' } },
      { page: { token }, context: { granularity: 'P1D' } },
      { page: { token }, subject: { ...places.subject, properties: {} } },
      { page: { token: `${token.slice(0, -4)}AAAA` } },
      { page: { token: 'a3M9NDU2O3N6PTI=' } },
      { page: { token: 'bnVsbA' } },
      { page: { token: 7 } },
      { page: { limit: -1 } },
      { page: { limit: 1.5 } },
      { page: { limit: '1' } },
      { page: 'first' },
    ]
    for (const change of changed)
      expect(await ask(asParty(), 'search/resource', { ...places, ...change }), JSON.stringify(change)).toMatchObject({
        status: 400,
      })
    const elsewhere = { ...places, page: { token } }
    expect(await ask(asUtility(), 'search/resource', elsewhere)).toMatchObject({ status: 400 })
  })

  test('members that lack are a bad request', async () => {
    const [subject, resource] = [did(world.parties[0]), point(0)]
    const wrong: [string, object][] = [
      ['subject', { subject: { type: 'did' }, resource }],
      ['subject', { action: read, resource }],
      ['subject', { subject: {}, action: read, resource }],
      ['subject', { subject: { type: 'did' }, action: read, resource: { type: 'metering_point' } }],
      ['resource', { action: read, resource }],
      ['resource', { subject: { type: 'did' }, action: read, resource }],
      ['resource', { subject, action: read, resource: {} }],
      ['action', { subject }],
      ['action', { subject, resource: { type: 'metering_point' } }],
      ['action', { subject, resource, context: { from: 'yesterday' } }],
    ]
    for (const [what, body] of wrong)
      expect(await ask(asParty(), `search/${what}`, body), JSON.stringify(body)).toMatchObject({ status: 400 })
    expect(await ask(null, 'search/action', { subject, resource })).toMatchObject({ status: 401 })
  })
})

describe('metadata', () => {
  const metadata = (headers: Record<string, string> = {}) =>
    city.app.inject({ method: 'GET', url: '/.well-known/authzen-configuration', headers })

  test('names every endpoint under the configured URL, whatever the request says, and the authority signs it', async () => {
    const reply = await metadata({ host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-request-id': 'a b' })
    expect(reply.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/json/),
      'cache-control': 'public, max-age=3600',
      'x-request-id': 'a b',
    })
    const { signed_metadata, ...plain } = reply.json<Record<string, string>>()
    const base = 'http://tillit.test'
    expect(plain).toEqual({
      policy_decision_point: base,
      access_evaluation_endpoint: `${base}/access/v1/evaluation`,
      access_evaluations_endpoint: `${base}/access/v1/evaluations`,
      search_subject_endpoint: `${base}/access/v1/search/subject`,
      search_resource_endpoint: `${base}/access/v1/search/resource`,
      search_action_endpoint: `${base}/access/v1/search/action`,
    })
    const { header, payload } = verifyJws(String(signed_metadata), city.authority.signer.publicKey, {
      typ: 'authzen-configuration+jwt',
    })
    const at = Math.floor(city.clock.now.getTime() / 1000)
    expect(payload).toEqual({ ...plain, iss: authorityDid, iat: at, exp: at + 86_400 })
    expect(header.kid).toBe(`${authorityDid}#key`)
  })

  test('is signed again once the signature is an hour old', async () => {
    const before = city.clock.now
    const signed = async () => String((await metadata()).json<Record<string, string>>().signed_metadata)
    const first = await signed()
    expect(await signed()).toBe(first)
    try {
      city.clock.now = new Date(before.getTime() + 3_600_000)
      expect(parseJws(await signed()).payload.iat).toBe(Math.floor(city.clock.now.getTime() / 1000))
    } finally {
      city.clock.now = before
    }
  })
})
