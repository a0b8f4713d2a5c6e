import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import { type TestDatabase, testDatabase } from '@tillit/database'
import { createLogger, createServer, type TillitServer } from '@tillit/http'
import { generatePrivateJwk, signerFromJwk } from '@tillit/keys'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPortal } from './create-portal.ts'
import { cookieOf } from './session-vault.ts'
import { createSessions, type SignedIn, type SigningIn } from './sessions.ts'
import { createStore, type PortalTables } from './store.ts'

const publicUrl = 'http://127.0.0.1:9'
let time = new Date('2026-06-01T12:00:00Z')
const now = () => time
const later = (minutes: number) => {
  time = new Date(time.getTime() + minutes * 60_000)
}
const folder = mkdtempSync(join(tmpdir(), 'tillit-page-'))
let database: TestDatabase
let app: TillitServer
let sessions: ReturnType<typeof createSessions>
let signedIn: SignedIn

beforeAll(async () => {
  database = await testDatabase()
  const db = database.connect<PortalTables>('portal')
  sessions = createSessions(createStore(db), { now, randomBytes })
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>')
  writeFileSync(join(folder, 'assets/page-abc.js'), 'export {}')
  writeFileSync(join(folder, 'assets/page-abc.js.br'), brotliCompressSync('export {}'))
  const logger = createLogger('silent')
  app = await createServer({
    ...{ logger, publicUrl, problemOf: () => null, readiness: [], newRequestId: () => 'request' },
    authentication: { issuer: `${publicUrl}/oauth`, audience: publicUrl, jwks: () => ({ keys: [] }), now },
  })
  const clientSigner = await signerFromJwk(await generatePrivateJwk())
  const portal = createPortal({
    ...{ database: db, publicUrl, internalUrl: publicUrl, clientId: 'portal', clientSigner, keyId: 'key' },
    ...{ now, randomBytes, logger, pageFolder: folder },
  })
  await app.register(portal.routes)
  signedIn = {
    kind: 'signed-in',
    customer: 'cust_0000000000000000000000',
    accessToken: 'token',
    expiresAtSeconds: Number.MAX_SAFE_INTEGER,
    refreshToken: null,
    dpopKey: await generatePrivateJwk(),
  }
})

afterAll(async () => {
  await app?.close()
  await database?.drop()
  rmSync(folder, { recursive: true })
})

test('without a cookie nobody is signed in, and nothing may be asked', async () => {
  expect((await app.inject('/portal/session')).json()).toEqual({ signed_in: false, customer: null })
  const reply = await app.inject({ url: '/portal/api/permissions', headers: { 'x-tillit-portal': '1' } })
  expect([reply.statusCode, reply.json().code]).toEqual([401, 'not-signed-in'])
})

test('a signed-in session says who it is, and a cookie of another value says nobody', async () => {
  const secret = await sessions.start(signedIn)
  const ask = (value: string) => app.inject({ url: '/portal/session', cookies: { tillit_session: value } })
  expect((await ask(cookieOf(secret))).json()).toEqual({ signed_in: true, customer: signedIn.customer })
  expect((await ask(cookieOf(randomBytes(32)))).json().signed_in).toBe(false)
})

test('the database holds neither the cookie nor the token nor the customer', async () => {
  const secret = await sessions.start(signedIn)
  const rows = await database.connect<PortalTables>('portal').selectFrom('portal.sessions').selectAll().execute()
  const id = createHash('sha256').update(secret).digest()
  expect(rows.some((row) => row.id.equals(id))).toBe(true)
  const stored = Buffer.concat(rows.flatMap((row) => [row.id, row.sealed]))
  for (const text of [signedIn.customer, signedIn.dpopKey.d]) expect(stored.includes(text)).toBe(false)
  expect(stored.includes(Buffer.from(secret))).toBe(false)
})

test('a call without the portal header, or a change from another origin, is refused', async () => {
  const cookies = { tillit_session: cookieOf(await sessions.start(signedIn)) }
  const attempts = [
    { method: 'GET', url: '/portal/api/permissions' },
    { method: 'POST', url: '/portal/api/permissions', headers: { origin: publicUrl } },
    { method: 'POST', url: '/portal/api/permissions', headers: { 'x-tillit-portal': '1' } },
    { method: 'DELETE', url: '/portal/api/openid4vci/offers/offer_0', headers: { origin: publicUrl } },
    { method: 'DELETE', url: '/portal/api/openid4vci/offers/offer_0', headers: { 'x-tillit-portal': '1' } },
    { method: 'POST', url: '/portal/sign-out', headers: { 'x-tillit-portal': '1', origin: 'https://evil.example' } },
    { method: 'POST', url: '/portal/sign-out', headers: { 'x-tillit-portal': '1', origin: 'null' } },
  ] as const
  for (const attempt of attempts) {
    const reply = await app.inject({ ...attempt, cookies })
    expect([reply.statusCode, reply.json().code]).toEqual([403, 'foreign-origin'])
  }
})

test('a city that does not answer is a problem of its own', async () => {
  const cookies = { tillit_session: cookieOf(await sessions.start(signedIn)) }
  const reply = await app.inject({ url: '/portal/api/permissions', headers: { 'x-tillit-portal': '1' }, cookies })
  expect([reply.statusCode, reply.json().code]).toEqual([504, 'city-unavailable'])
})

test('a session that is not used for half an hour ends, and no session outlives a working day', async () => {
  const idle = await sessions.start(signedIn)
  later(29)
  expect(await sessions.find(idle)).not.toBeNull()
  later(31)
  expect(await sessions.find(idle)).toBeNull()
  const busy = await sessions.start(signedIn)
  let minutes = 0
  for (; (await sessions.find(busy)) !== null; minutes += 20) later(20)
  expect(minutes).toBe(8 * 60)
})

test('an access token that cannot be renewed ends the session', async () => {
  const secret = await sessions.start({ ...signedIn, expiresAtSeconds: time.getTime() / 1000 })
  const reply = await app.inject({ url: '/portal/session', cookies: { tillit_session: cookieOf(secret) } })
  expect(reply.json().signed_in).toBe(false)
  expect(await sessions.find(secret)).toBeNull()
})

test('a sign-in under way is finished once, and is no session', async () => {
  const signingIn: SigningIn = {
    ...{ kind: 'signing-in', state: 's', nonce: 'n', codeVerifier: 'v', dpopKey: signedIn.dpopKey },
  }
  const secret = await sessions.begin(signingIn)
  expect(await sessions.find(secret)).toBeNull()
  expect(await sessions.finish(secret)).toEqual(signingIn)
  expect(await sessions.finish(secret)).toBeNull()
  expect(await sessions.finish(await sessions.start(signedIn))).toBeNull()
})

test('a callback that no sign-in began leads to the page with words, without a session', async () => {
  const reply = await app.inject('/portal/callback?code=x&state=y')
  expect([reply.statusCode, reply.headers.location]).toEqual([303, '/portal/?sign-in=failed'])
  expect(String(reply.headers['set-cookie'])).not.toContain('tillit_session')
})

test('signing out removes the session and its cookie', async () => {
  const secret = await sessions.start(signedIn)
  const reply = await app.inject({
    ...{ method: 'POST', url: '/portal/sign-out', cookies: { tillit_session: cookieOf(secret) } },
    headers: { 'x-tillit-portal': '1', origin: publicUrl },
  })
  expect(reply.statusCode).toBe(200)
  expect(String(reply.headers['set-cookie'])).toMatch(/tillit_session=;.*HttpOnly; SameSite=Lax/)
  expect(await sessions.find(secret)).toBeNull()
})

test('the page has a strict policy and is looked up anew, its assets are kept for good', async () => {
  const page = await app.inject('/portal/')
  expect(page.headers['content-security-policy']).toMatch(/^default-src 'self'; .*frame-ancestors 'none'$/)
  expect(page.headers['content-security-policy']).not.toContain('unsafe')
  expect(page.headers['cache-control']).toBe('no-cache')
  const asset = await app.inject('/portal/assets/page-abc.js')
  expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable')
  const smaller = await app.inject({ url: '/portal/assets/page-abc.js', headers: { 'accept-encoding': 'gzip, br' } })
  expect(smaller.headers).toMatchObject({ 'content-encoding': 'br', vary: expect.stringMatching(/accept-encoding/i) })
  expect(smaller.headers['cache-control']).toBe('public, max-age=31536000, immutable')
  expect(brotliDecompressSync(smaller.rawPayload).toString()).toBe('export {}')
  expect((await app.inject('/')).headers.location).toBe('/portal/')
  for (const path of ['/portal/.sources-sha256', '/portal/%2e%2e/package.json', '/portal/none']) {
    expect((await app.inject(path)).statusCode).toBeGreaterThanOrEqual(400)
  }
})
