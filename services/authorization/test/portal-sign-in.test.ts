import type { webcrypto } from 'node:crypto'
import { parseJws, signerFromJwk } from '@tillit/keys'
import { importJWK } from 'jose'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrlWithPAR,
  buildEndSessionUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  type DPoPHandle,
  discovery,
  fetchProtectedResource,
  getDPoPHandle,
  PrivateKeyJwt,
  randomDPoPKeyPair,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
  tokenRevocation,
} from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AuthorizationTables } from '../src/store.ts'
import { Browser, form } from './browser.ts'
import { assertionOf, assertionType, newDidClient, proofOf, requestToken } from './did-client.ts'
import { personas, startServer, type TestServer } from './start-server.ts'

let server: TestServer
let portal: Configuration
let DPoP: DPoPHandle

beforeAll(async () => {
  server = await startServer()
  const key = (await importJWK({ ...server.portalKey, alg: 'Ed25519' })) as webcrypto.CryptoKey
  portal = await discovery(new URL(server.issuer), 'portal', undefined, PrivateKeyJwt({ key, kid: 'portal-1' }), {
    execute: [allowInsecureRequests],
  })
  DPoP = getDPoPHandle(portal, await randomDPoPKeyPair())
})
afterAll(() => server.stop())

const callback = () => `${server.publicUrl}/portal/callback`

interface Started {
  url: URL
  checks: { pkceCodeVerifier: string; expectedNonce: string; expectedState: string }
}

/** The portal pushes its request and sends the browser on. */
async function begin(extra: Record<string, string> = {}): Promise<Started> {
  const checks = {
    pkceCodeVerifier: randomPKCECodeVerifier(),
    expectedNonce: randomNonce(),
    expectedState: randomState(),
  }
  const url = await buildAuthorizationUrlWithPAR(
    portal,
    {
      ...{ redirect_uri: callback(), scope: 'openid', nonce: checks.expectedNonce, state: checks.expectedState },
      code_challenge: await calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...extra,
    },
    { DPoP },
  )
  return { url, checks }
}

async function signIn(browser: Browser, persona: string, started: Started): Promise<URL> {
  const page = await browser.follow(started.url, callback())
  expect(page.response.status).toBe(200)
  const back = await browser.follow(page.url, callback(), form({ persona }))
  return back.url
}

test('a person picks a persona, and the portal gets tokens for that customer', async () => {
  const browser = new Browser()
  const started = await begin()
  const page = await browser.follow(started.url, callback())
  expect(page.url.pathname).toMatch(/^\/oauth\/sign-in\/[\w-]+$/)
  const html = await page.response.text()
  expect(html).toContain('<html lang="en">')
  expect(html).toContain('anna &lt;of&gt; &quot;Test&quot;')
  expect(html).not.toContain('<script')
  const policy = page.response.headers.get('content-security-policy') ?? ''
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self' /)
  expect(policy).toContain("frame-ancestors 'none'")

  const { url } = await browser.follow(page.url, callback(), form({ persona: 'anna' }))
  const tokens = await authorizationCodeGrant(portal, url, started.checks, undefined, { DPoP })
  const { payload } = parseJws(tokens.access_token)
  expect(payload).toMatchObject({
    ...{ sub: personas[0]?.customerId, kind: 'customer', client_id: 'portal', aud: server.publicUrl },
    cnf: { jkt: expect.any(String) },
  })
  expect(tokens.scope).toBe('openid')
  expect(tokens.claims()).toMatchObject({ sub: personas[0]?.customerId, aud: 'portal' })
  const whoami = await fetchProtectedResource(
    ...([portal, tokens.access_token, new URL(`${server.publicUrl}/whoami`), 'GET'] as const),
    ...([undefined, undefined, { DPoP }] as const),
  )
  expect(await whoami.json()).toMatchObject({ kind: 'customer', id: personas[0]?.customerId, clientId: 'portal' })
})

test('who is signed in already is not asked again, and a refreshed token is theirs', async () => {
  const browser = new Browser()
  await signIn(browser, 'bo', await begin())
  const again = await begin({ prompt: 'none' })
  const { url } = await browser.follow(again.url, callback())
  const tokens = await authorizationCodeGrant(portal, url, again.checks, undefined, { DPoP })
  expect(tokens.claims()?.sub).toBe(personas[1]?.customerId)
  const refreshed = await refreshTokenGrant(portal, tokens.refresh_token ?? '', undefined, { DPoP })
  expect(parseJws(refreshed.access_token).payload).toMatchObject({ sub: personas[1]?.customerId, kind: 'customer' })
})

test('a refresh token is of no use to another client, nor without a proof', async () => {
  const started = await begin()
  const url = await signIn(new Browser(), 'bo', started)
  const tokens = await authorizationCodeGrant(portal, url, started.checks, undefined, { DPoP })
  await expect(refreshTokenGrant(portal, tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' })
  const thief = await newDidClient()
  await server.enlist('party', thief.did, 'ACTIVE')
  const answer = await requestToken(server.issuer, {
    assertion: await assertionOf(thief, server.issuer),
    proof: await proofOf(thief.proofSigner, `${server.issuer}/token`),
    parameters: { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' },
  })
  expect(answer).toMatchObject({
    status: 400,
    body: { error: 'invalid_request', error_description: 'requested grant type is not allowed for this client' },
  })
})

test('a code is exchanged once, and of several at once one succeeds', async () => {
  const started = await begin()
  const url = await signIn(new Browser(), 'anna', started)
  const exchange = () => authorizationCodeGrant(portal, url, started.checks, undefined, { DPoP })
  const results = await Promise.allSettled([exchange(), exchange(), exchange(), exchange()])
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
  await expect(exchange()).rejects.toMatchObject({ error: 'invalid_grant' })
})

test('a code is of no use without its verifier', async () => {
  const started = await begin()
  const url = await signIn(new Browser(), 'anna', started)
  const checks = { ...started.checks, pkceCodeVerifier: randomPKCECodeVerifier() }
  await expect(authorizationCodeGrant(portal, url, checks, undefined, { DPoP })).rejects.toMatchObject({
    error: 'invalid_grant',
  })
})

test('a request without PKCE, with plain PKCE, or to another address is refused', async () => {
  await expect(begin({ code_challenge_method: 'plain' })).rejects.toMatchObject({ error: 'invalid_request' })
  await expect(begin({ redirect_uri: 'https://evil.example/callback' })).rejects.toMatchObject({
    error: 'invalid_request',
  })
  const parameters = { redirect_uri: callback(), scope: 'openid', state: randomState() }
  await expect(buildAuthorizationUrlWithPAR(portal, parameters, { DPoP })).rejects.toMatchObject({
    error: 'invalid_request',
  })
})

test('a request that was not pushed is refused', async () => {
  const query = new URLSearchParams({
    ...{ client_id: 'portal', response_type: 'code', scope: 'openid', redirect_uri: callback() },
    code_challenge: await calculatePKCECodeChallenge(randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  })
  const { url } = await new Browser().follow(`${server.issuer}/authorize?${query}`, callback())
  expect(url.searchParams.get('error')).toBe('invalid_request')
})

test('a post from another browser does not sign anyone in', async () => {
  const victim = new Browser()
  const page = await victim.follow((await begin()).url, callback())
  const forged = await new Browser().open(page.url, form({ persona: 'anna' }))
  expect(forged.status).toBe(400)
  expect(await forged.text()).toContain('sign-in-expired')
  const asProgram = await fetch(page.url, form({ persona: 'anna' }))
  expect(asProgram.headers.get('content-type')).toContain('application/problem+json')
  expect(await asProgram.json()).toMatchObject({ code: 'sign-in-expired' })
})

test('an unknown persona is told so, and the sign-in can go on', async () => {
  const browser = new Browser()
  const started = await begin()
  const page = await browser.follow(started.url, callback())
  expect((await browser.open(page.url, form({ persona: 'mallory' }))).status).toBe(400)
  expect((await browser.open(page.url, form({}))).status).toBe(400)
  const { url } = await browser.follow(page.url, callback(), form({ persona: 'anna' }))
  expect(url.searchParams.get('code')).toEqual(expect.any(String))
})

test('cancelling goes back to the portal with access_denied', async () => {
  const browser = new Browser()
  const page = await browser.follow((await begin()).url, callback())
  const { url } = await browser.follow(page.url, callback(), form({ cancel: 'yes' }))
  expect(url.searchParams.get('error')).toBe('access_denied')
})

test('after its refresh token was revoked a signed-in person goes on without signing in', async () => {
  const browser = new Browser()
  const started = await begin()
  const url = await signIn(browser, 'anna', started)
  const tokens = await authorizationCodeGrant(portal, url, started.checks, undefined, { DPoP })
  await tokenRevocation(portal, tokens.refresh_token ?? '')
  await expect(refreshTokenGrant(portal, tokens.refresh_token ?? '', undefined, { DPoP })).rejects.toMatchObject({
    error: 'invalid_grant',
  })
  const again = await begin({ prompt: 'none' })
  const back = await browser.follow(again.url, callback())
  const renewed = await authorizationCodeGrant(portal, back.url, again.checks, undefined, { DPoP })
  expect(renewed.claims()?.sub).toBe(personas[0]?.customerId)
})

test('signing out ends the session and its refresh tokens', async () => {
  const browser = new Browser()
  const started = await begin()
  const url = await signIn(browser, 'anna', started)
  const tokens = await authorizationCodeGrant(portal, url, started.checks, undefined, { DPoP })
  const end = buildEndSessionUrl(portal, {
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: `${server.publicUrl}/`,
  })
  const page = await browser.open(end)
  const html = await page.text()
  expect(html).toContain('Yes, sign me out')
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(html)?.[1] ?? ''
  const done = await browser.open(`${server.issuer}/logout/confirm`, form({ xsrf, logout: 'yes' }))
  expect(done.headers.get('location')).toBe(`${server.publicUrl}/`)
  await expect(refreshTokenGrant(portal, tokens.refresh_token ?? '', undefined, { DPoP })).rejects.toMatchObject({
    error: 'invalid_grant',
  })
  const silent = await browser.follow((await begin({ prompt: 'none' })).url, callback())
  expect(silent.url.searchParams.get('error')).toBe('login_required')
})

test('no secret that a caller presents is kept in clear, and no name', async () => {
  const browser = new Browser()
  await signIn(browser, 'anna', await begin())
  const page = await browser.follow((await begin({ prompt: 'login' })).url, callback())
  const interactionId = page.url.pathname.split('/').at(-1) ?? ''
  const started = await begin()
  const url = await signIn(new Browser(), 'anna', started)
  const code = url.searchParams.get('code') ?? ''
  const tokens = await authorizationCodeGrant(portal, url, started.checks, undefined, { DPoP })
  const db = server.database.connect<AuthorizationTables>('authorization')
  const state = JSON.stringify(await db.selectFrom('authorization.oauth_state').selectAll().execute())
  const persons = JSON.stringify(await db.selectFrom('authorization.persons').selectAll().execute())
  for (const secret of [code, tokens.refresh_token ?? '', interactionId, ...browser.cookieValues()]) {
    expect(secret).not.toBe('')
    expect(state).not.toContain(secret)
  }
  expect(persons).not.toMatch(/anna|Test/)
  expect(server.logged.join('')).not.toMatch(/anna|persona=/)
})

test('cookies are out of reach of scripts and of other sites', async () => {
  const page = await new Browser().open((await begin()).url)
  const cookies = page.headers.getSetCookie()
  expect(cookies.length).toBeGreaterThan(0)
  for (const cookie of cookies) expect(cookie).toMatch(/; httponly/i)
  for (const cookie of cookies) expect(cookie).toMatch(/; samesite=lax/i)
  for (const cookie of cookies) expect(cookie).toMatch(/; path=\/oauth/i)
})

test('behind https every cookie is secure', async () => {
  const https = await startServer({ publicUrl: 'https://city.example' })
  try {
    const client = { did: 'portal', kid: 'portal-1', signer: await signerFromJwk(https.portalKey) }
    const pushed = await fetch(`${https.address}/oauth/par`, {
      method: 'POST',
      body: new URLSearchParams({
        ...{ client_id: 'portal', response_type: 'code', scope: 'openid', state: randomState() },
        redirect_uri: 'https://city.example/portal/callback',
        ...{ code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' },
        ...{ client_assertion_type: assertionType, client_assertion: await assertionOf(client, https.issuer) },
      }),
    })
    const { request_uri } = (await pushed.json()) as { request_uri: string }
    const query = new URLSearchParams({ client_id: 'portal', request_uri })
    const answer = await fetch(`${https.address}/oauth/authorize?${query}`, { redirect: 'manual' })
    const cookies = answer.headers.getSetCookie()
    expect(cookies.length).toBeGreaterThan(0)
    for (const cookie of cookies) expect(cookie).toMatch(/; secure/i)
  } finally {
    await https.stop()
  }
})
