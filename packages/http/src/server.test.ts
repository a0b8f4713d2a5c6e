import { Problem } from '@tillit/problem'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type CredentialAuthorization,
  callerOf,
  createLogger,
  createServer,
  createTestIssuer,
  redact,
  type TestIssuer,
  type TillitServer,
} from './index.ts'

const publicUrl = 'http://tillit.test'
let app: TillitServer
let issuer: TestIssuer

beforeAll(async () => {
  issuer = await createTestIssuer(publicUrl, () => new Date())
  let requests = 0
  app = await createServer({
    logger: createLogger('silent'),
    publicUrl,
    authentication: { issuer: issuer.issuer, audience: publicUrl, jwks: issuer.jwks, now: () => new Date() },
    problemOf: () => null,
    readiness: [
      { name: 'nothing', check: async () => null },
      { name: 'ledger', advisory: true, check: async () => 'out of reach' },
    ],
    newRequestId: () => `request-${++requests}`,
  })
  const Thing = Type.Object(
    { n: Type.Integer(), when: Type.Optional(Type.String({ format: 'date-time' })) },
    { additionalProperties: false },
  )
  app.post(
    '/things',
    { schema: { operationId: 'make-thing', body: Thing, response: { 200: Thing } } },
    async (request) => ({ ...request.body, secret: 1 }),
  )
  app.get('/mine', { config: { callers: ['customer'] } }, async (request) => ({ id: callerOf(request).id }))
  app.get('/receive', { config: { callers: ['customer'], credentialTokens: true } }, async (request) => ({
    offer: callerOf(request).offer,
  }))
  app.get('/for-pages', { config: { anyOrigin: true } }, async () => ({ read: true }))
  app.post('/for-pages', { config: { anyOrigin: true, callers: ['device'] } }, async () => ({ written: true }))
  app.get('/broken', async () => {
    throw new Error('a value that must stay inside')
  })
  app.get('/count', { schema: { querystring: Type.Object({ n: Type.Integer() }) } }, async (request) => ({
    n: request.query.n,
  }))
  await app.ready()
})
afterAll(() => app.close())

test('an unknown member of a body is refused with its pointer and nothing is stripped', async () => {
  const reply = await app.inject({ method: 'POST', url: '/things', payload: { n: 1, extra: true } })
  expect(reply.statusCode).toBe(400)
  expect(reply.headers['content-type']).toContain('application/problem+json')
  expect(reply.json()).toMatchObject({ code: 'unknown-field', pointer: '/extra', status: 400 })
})

test('a body is never coerced but a query is', async () => {
  const body = await app.inject({ method: 'POST', url: '/things', payload: { n: '1' } })
  expect(body.json()).toMatchObject({ code: 'invalid-request', pointer: '/n' })
  const query = await app.inject({ method: 'GET', url: '/count?n=7' })
  expect(query.json()).toEqual({ n: 7 })
})

test.each([
  ['{"n":1,"n":2}', 'invalid-json'],
  ['{"n":', 'invalid-json'],
  ['{"__proto__":{"n":1}}', 'invalid-json'],
  [`{"n":${'['.repeat(100)}${']'.repeat(100)}}`, 'invalid-json'],
  ['{"n":1,"when":"2025-02-30T99:00:00Z"}', 'invalid-request'],
])('the body %s is refused', async (payload, code) => {
  const reply = await app.inject({
    method: 'POST',
    url: '/things',
    headers: { 'content-type': 'application/json' },
    payload,
  })
  expect(reply.json()).toMatchObject({ code })
})

test('a body over the limit, of another type or missing is refused with its own code', async () => {
  const large = await app.inject({ method: 'POST', url: '/things', payload: { n: 1, x: 'x'.repeat(1024 * 1024) } })
  expect(large.json()).toMatchObject({ code: 'body-too-large', status: 413 })
  const xml = await app.inject({
    method: 'POST',
    url: '/things',
    headers: { 'content-type': 'application/xml' },
    payload: '<a/>',
  })
  expect(xml.json()).toMatchObject({ code: 'unsupported-media-type' })
  const none = await app.inject({ method: 'POST', url: '/things' })
  expect(none.json()).toMatchObject({ code: 'invalid-request' })
})

test('a response holds what its schema declares and nothing else', async () => {
  const reply = await app.inject({ method: 'POST', url: '/things', payload: { n: 1 } })
  expect(reply.json()).toEqual({ n: 1 })
})

test('a fault of ours says nothing of its cause', async () => {
  const reply = await app.inject({ method: 'GET', url: '/broken' })
  expect(reply.statusCode).toBe(500)
  expect(reply.body).not.toContain('must stay inside')
  expect(reply.json()).toMatchObject({ code: 'internal-error' })
})

test('the request id is echoed, also on errors, unless it is not a plain token', async () => {
  const echoed = await app.inject({ method: 'GET', url: '/nowhere', headers: { 'x-request-id': 'abc-1' } })
  expect(echoed.headers['x-request-id']).toBe('abc-1')
  expect(echoed.json()).toMatchObject({ code: 'not-found', request_id: 'abc-1' })
  const replaced = await app.inject({ method: 'GET', url: '/nowhere', headers: { 'x-request-id': 'a b{}' } })
  expect(replaced.headers['x-request-id']).toMatch(/^request-/)
})

test('a bound token with a fresh proof is let in once', async () => {
  const headers = await issuer.headers({ kind: 'customer', id: 'cust_1' }, 'GET', '/mine')
  expect((await app.inject({ method: 'GET', url: '/mine', headers })).json()).toEqual({ id: 'cust_1' })
  expect((await app.inject({ method: 'GET', url: '/mine', headers })).json()).toMatchObject({
    code: 'dpop-replay',
    status: 401,
  })
})

test('a token without proof, as bearer, with a proof for another method, path or kind of caller is refused', async () => {
  const customer = { kind: 'customer', id: 'cust_1' } as const
  const good = await issuer.headers(customer, 'GET', '/mine')
  const get = async (headers: Record<string, string>) =>
    (await app.inject({ method: 'GET', url: '/mine', headers })).json()
  expect(await get({})).toMatchObject({ code: 'missing-token' })
  expect(await get({ authorization: good.authorization })).toMatchObject({ code: 'invalid-dpop-proof' })
  expect(await get({ ...good, authorization: good.authorization.replace('DPoP', 'Bearer') })).toMatchObject({
    code: 'invalid-token',
  })
  expect(await get(await issuer.headers(customer, 'POST', '/mine'))).toMatchObject({ code: 'invalid-dpop-proof' })
  expect(await get(await issuer.headers(customer, 'GET', '/yours'))).toMatchObject({ code: 'invalid-dpop-proof' })
  expect(await get(await issuer.headers({ kind: 'device', id: 'did:key:z6Mk' }, 'GET', '/mine'))).toMatchObject({
    code: 'role-required',
  })
  const other = await createTestIssuer(publicUrl, () => new Date())
  expect(await get(await other.headers(customer, 'GET', '/mine'))).toMatchObject({ code: 'invalid-token' })
  const old = await createTestIssuer(publicUrl, () => new Date(Date.now() - 3_600_000))
  expect(await get(await old.headers(customer, 'GET', '/mine'))).toMatchObject({ code: 'invalid-token' })
})

test('a token for receiving credentials opens the routes that serve wallets and no other', async () => {
  const details: CredentialAuthorization = {
    type: 'openid_credential',
    credential_configuration_id: 'MeteringPointEntitlement',
    credential_identifiers: ['MeteringPointEntitlement'],
  }
  for (const authorizationDetails of [[details], []]) {
    const wallet = { kind: 'customer', id: 'cust_1', authorizationDetails, offer: 'offer_a' } as const
    const get = async (url: string) =>
      (await app.inject({ method: 'GET', url, headers: await issuer.headers(wallet, 'GET', url) })).json()
    expect(await get('/receive')).toEqual({ offer: 'offer_a' })
    expect(await get('/mine')).toMatchObject({ code: 'role-required', status: 403 })
  }
})

test('pages of any origin call the routes that say so, read their errors too, and call no others', async () => {
  const preflight = (url: string) =>
    app.inject({
      method: 'OPTIONS',
      url,
      headers: { origin: 'https://wallet.example', 'access-control-request-method': 'POST' },
    })
  const allowed = await preflight('/for-pages')
  expect(allowed.statusCode).toBe(204)
  expect(allowed.headers).toMatchObject({
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-allow-headers': 'authorization, content-type, dpop',
  })
  expect(allowed.headers).not.toHaveProperty('access-control-allow-credentials')
  for (const method of ['GET', 'POST'] as const) {
    const { headers, statusCode } = await app.inject({ method, url: '/for-pages' })
    expect(statusCode).toBe(method === 'GET' ? 200 : 401)
    expect(headers['access-control-allow-origin']).toBe('*')
    expect(headers['access-control-expose-headers']).toContain('www-authenticate')
  }
  expect((await preflight('/mine')).statusCode).toBe(404)
  expect((await app.inject({ method: 'GET', url: '/mine' })).headers).not.toHaveProperty('access-control-allow-origin')
})

test('the API describes itself', async () => {
  const api = (await app.inject({ method: 'GET', url: '/openapi.json' })).json()
  expect(api.openapi).toBe('3.1.0')
  expect(Object.keys(api.paths['/things'].post.responses)).toEqual(expect.arrayContaining(['200', '4XX', '5XX']))
  expect((await app.inject({ method: 'GET', url: '/docs/' })).statusCode).toBe(200)
})

test('what the city can do without is told, and does not make it unready', async () => {
  const reply = await app.inject({ method: 'GET', url: '/health/ready' })
  expect(reply.statusCode).toBe(200)
  expect(reply.json()).toEqual({
    status: 'ready',
    checks: [
      { name: 'nothing', fault: null, advisory: false },
      { name: 'ledger', fault: 'out of reach', advisory: true },
    ],
  })
})

test('identifiers, tokens and metering point numbers never reach a log line', () => {
  const line = 'did:key:z6MkabcDEF read mp_AAAAAAAAAAAAAAAAAAAAAA of 707057500000000001 with eyJhbGciOi.eyJzdWIi.c2ln'
  expect(redact(line)).toBe('[redacted] read [redacted] of [redacted] with [redacted]')
  expect(new Problem('not-found').status).toBe(404)
})
