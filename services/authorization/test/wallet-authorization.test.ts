import { randomUUID } from 'node:crypto'
import { administer } from '@tillit/database'
import { parseJws, type Signer } from '@tillit/keys'
import { calculatePKCECodeChallenge, randomPKCECodeVerifier } from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser, form } from './browser.ts'
import { personas, startServer, type TestServer } from './start-server.ts'
import { credentialDetails, detailsFor, newProofKey, type Parts, post, useToken } from './wallet-client.ts'

// OpenID4VCI 1.0 section 5: the authorization code flow of a wallet, with PAR, PKCE and DPoP as HAIP 1.0 section 4 asks.

const wallet = 'https://wallet.example'
const callback = 'nordlommebok://received'
const anna = personas[0]?.customerId ?? ''
let server: TestServer
let key: Signer

beforeAll(async () => {
  const listed = { client_id: wallet, name: 'Nord<lommebok>', redirect_uris: [callback, 'https://wallet.example/cb'] }
  server = await startServer({ wallets: [listed] })
  key = await newProofKey()
})
afterAll(() => server.stop())

interface Begun {
  verifier: string
  answer: Awaited<ReturnType<typeof post>>
  /** Where the wallet sends the browser. */
  url: string
}

async function begin(fields: Record<string, string | undefined>, parts: Parts = {}): Promise<Begun> {
  const verifier = randomPKCECodeVerifier()
  const request: Record<string, string | undefined> = {
    ...{ client_id: wallet, response_type: 'code', redirect_uri: callback, state: 'a-state' },
    ...{ code_challenge: await calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...fields },
  }
  const given = Object.entries(request).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  const answer = await post(server, 'par', Object.fromEntries(given), { key, ...parts })
  const query = new URLSearchParams({ client_id: wallet, request_uri: answer.body.request_uri ?? '' })
  return { verifier, answer, url: `${server.issuer}/authorize?${query}` }
}

/** Signs in, and agrees or does not. */
async function answerPages(browser: Browser, { url }: Begun, persona: string, decision: 'agree' | 'refuse') {
  const signIn = await browser.follow(url, callback)
  const agreement = await browser.follow(signIn.url, callback, form({ persona }))
  const html = await agreement.response.text()
  const back = await browser.follow(agreement.url, callback, form({ [decision]: 'yes' }))
  return { agreement, html, back: back.url }
}

const exchange = (code: string, verifier: string, fields: Record<string, string> = {}, parts: Parts = {}) =>
  post(
    server,
    'token',
    {
      ...{ grant_type: 'authorization_code', client_id: wallet, redirect_uri: callback },
      ...{ code, code_verifier: verifier, ...fields },
    },
    { key, ...parts },
  )

test('a person agrees on a page in plain words, and the wallet gets a token for that credential and nothing else', async () => {
  const begun = await begin({ scope: 'MeteringPointEntitlement unknown-scope' })
  expect(begun.answer.status).toBe(201)
  const { agreement, html, back } = await answerPages(new Browser(), begun, 'anna', 'agree')
  expect(agreement.url.pathname).toMatch(/^\/oauth\/agree\/[\w-]+$/)
  expect(html).toContain('Nord&lt;lommebok&gt;')
  expect(html).toContain('My metering point')
  expect(html).not.toContain('<script')
  expect(agreement.response.headers.get('content-security-policy')).toMatch(/form-action 'self' .*nordlommebok:/)
  expect(Object.fromEntries(back.searchParams)).toMatchObject({ state: 'a-state', iss: server.issuer })

  const answer = await exchange(back.searchParams.get('code') ?? '', begun.verifier)
  expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP', scope: 'MeteringPointEntitlement' } })
  expect(answer.body).not.toHaveProperty('authorization_details')
  expect(answer.body).not.toHaveProperty('id_token')
  const token = answer.body.access_token ?? ''
  expect(parseJws(token).payload).toMatchObject({ sub: anna, client_id: wallet, kind: 'customer' })
  const { forWallets, forOthers } = await useToken(server, token, key)
  expect(forWallets).toMatchObject({ id: anna, authorizationDetails: detailsFor('MeteringPointEntitlement') })
  expect(forOthers).toMatchObject({ code: 'role-required' })
})

test('what was asked for by authorization details comes back with credential identifiers, and is refreshed', async () => {
  const begun = await begin({ authorization_details: credentialDetails('MeteringPointEntitlement') })
  const { back } = await answerPages(new Browser(), begun, 'anna', 'agree')
  const answer = await exchange(back.searchParams.get('code') ?? '', begun.verifier)
  expect(answer.body.authorization_details).toEqual(detailsFor('MeteringPointEntitlement'))
  const fields = { grant_type: 'refresh_token', client_id: wallet, refresh_token: answer.body.refresh_token ?? '' }
  const refreshed = await post(server, 'token', fields, { key })
  expect(refreshed.body.authorization_details).toEqual(detailsFor('MeteringPointEntitlement'))
  expect(parseJws(refreshed.body.access_token ?? '').payload).toMatchObject({ sub: anna })
  expect(await post(server, 'token', fields, { key: await newProofKey() })).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  })
})

test('a wallet keeps what it was granted after the person has signed out', async () => {
  const browser = new Browser()
  const begun = await begin({ scope: 'MeteringPointEntitlement' })
  const { back } = await answerPages(browser, begun, 'anna', 'agree')
  const answer = await exchange(back.searchParams.get('code') ?? '', begun.verifier)
  const page = await (await browser.open(`${server.issuer}/logout`)).text()
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
  await browser.open(`${server.issuer}/logout/confirm`, form({ xsrf, logout: 'yes' }))
  const fields = { grant_type: 'refresh_token', client_id: wallet, refresh_token: answer.body.refresh_token ?? '' }
  expect((await post(server, 'token', fields, { key })).status).toBe(200)
})

test('who is signed in is asked for each wallet request again', async () => {
  const browser = new Browser()
  await answerPages(browser, await begin({ scope: 'MeteringPointEntitlement' }), 'bo', 'agree')
  const again = await browser.follow((await begin({ scope: 'MeteringPointEntitlement' })).url, callback)
  expect(again.url.pathname).toMatch(/^\/oauth\/agree\//)
  const silent = await begin({ scope: 'MeteringPointEntitlement', prompt: 'none' })
  const { url } = await browser.follow(silent.url, callback)
  expect(url.searchParams.get('error')).toBe('consent_required')
})

test('a wallet that wants the person to sign in anew gets its code after one sign-in and one agreement', async () => {
  const browser = new Browser()
  await answerPages(browser, await begin({ scope: 'MeteringPointEntitlement' }), 'bo', 'agree')
  const begun = await begin({ scope: 'MeteringPointEntitlement', prompt: 'login' })
  const { back } = await answerPages(browser, begun, 'bo', 'agree')
  expect((await exchange(back.searchParams.get('code') ?? '', begun.verifier)).status).toBe(200)
})

test('who does not agree sends the wallet away with access_denied', async () => {
  const { back } = await answerPages(
    new Browser(),
    await begin({ scope: 'MeteringPointEntitlement' }),
    'anna',
    'refuse',
  )
  expect(back.searchParams.get('error')).toBe('access_denied')
  expect(back.searchParams.has('code')).toBe(false)
})

test('a pushed request gives one code, however long people take on its pages', async () => {
  const begun = await begin({ scope: 'MeteringPointEntitlement' })
  const browsers = [new Browser(), new Browser()]
  const agreements = []
  for (const browser of browsers) {
    const signIn = await browser.follow(begun.url, callback)
    agreements.push(await browser.follow(signIn.url, callback, form({ persona: 'anna' })))
  }
  // Two minutes later the pushed request has expired, and the pages are still open.
  await administer(
    server.database.url,
    `update "authorization".oauth_state set expires_at = expires_at - interval '120 seconds',
       payload = jsonb_set(payload, '{exp}', to_jsonb((payload->>'exp')::bigint - 120))
     where model = 'PushedAuthorizationRequest'`,
  )
  const codes = []
  for (const [index, browser] of browsers.entries()) {
    const { url } = await browser.follow(agreements[index]?.url ?? '', callback, form({ agree: 'yes' }))
    codes.push(url.searchParams.get('code') ?? url.searchParams.get('error'))
  }
  expect(codes).toEqual([expect.stringMatching(/^[\w-]{43}$/), 'invalid_request_uri'])
  expect((await new Browser().open(begun.url)).status).toBe(400)
})

test('the agreement is made in the browser that signed in, and on its own page', async () => {
  const browser = new Browser()
  const signIn = await browser.follow((await begin({ scope: 'MeteringPointEntitlement' })).url, callback)
  const agreement = await browser.follow(signIn.url, callback, form({ persona: 'anna' }))
  const forged = await new Browser().open(agreement.url, form({ agree: 'yes' }))
  expect(forged.status).toBe(400)
  expect(await forged.text()).toContain('sign-in-expired')
  const early = new Browser()
  const page = await early.follow((await begin({ scope: 'MeteringPointEntitlement' })).url, callback)
  const skipped = page.url.href.replace('/oauth/sign-in/', '/oauth/agree/')
  expect((await early.open(skipped, form({ agree: 'yes' }))).status).toBe(400)
})

test.each([
  ['nb-NO,nb;q=0.9,en;q=0.8', 'lang="nb"', 'Mitt målepunkt'],
  ['no', 'lang="nb"', 'Ja, legg det i lommeboken min'],
  ['da', 'lang="da"', 'Mit målepunkt'],
  ['fi,sv;q=0.9', 'lang="en"', 'My metering point'],
])('to a browser that speaks %s the page says %s', async (languages, attribute, words) => {
  const browser = new Browser()
  const signIn = await browser.follow((await begin({ scope: 'MeteringPointEntitlement' })).url, callback)
  const { url } = await browser.follow(signIn.url, callback, form({ persona: 'anna' }))
  const page = await browser.open(url, { headers: { 'accept-language': languages } })
  const html = await page.text()
  expect(html).toContain(attribute)
  expect(html).toContain(words)
})

test('the language that the wallet names comes before that of the browser', async () => {
  const browser = new Browser()
  const begun = await begin({ scope: 'MeteringPointEntitlement', ui_locales: 'da' })
  const { html } = await answerPages(browser, begun, 'anna', 'agree')
  expect(html).toContain('lang="da"')
})

test('a request that came from an offer carries the offer into the token', async () => {
  const offer = { id: `offer_${randomUUID()}`, issuerState: randomUUID(), holder: anna }
  await server.addOffer({ ...offer, configurationIds: ['MeteringPointEntitlement'] })
  const begun = await begin({ scope: 'MeteringPointEntitlement', issuer_state: offer.issuerState })
  const { back } = await answerPages(new Browser(), begun, 'anna', 'agree')
  const answer = await exchange(back.searchParams.get('code') ?? '', begun.verifier)
  expect(parseJws(answer.body.access_token ?? '').payload).toMatchObject({ offer: offer.id, sub: anna })
})

test('an offer to somebody else cannot be taken', async () => {
  const offer = { id: `offer_${randomUUID()}`, issuerState: randomUUID(), holder: anna }
  await server.addOffer({ ...offer, configurationIds: ['MeteringPointEntitlement'] })
  const begun = await begin({ scope: 'MeteringPointEntitlement', issuer_state: offer.issuerState })
  const { html, back } = await answerPages(new Browser(), begun, 'bo', 'agree')
  expect(html).toContain('made to somebody else')
  expect(html).not.toContain('name="agree"')
  expect(back.searchParams.get('error')).toBe('access_denied')
})

test('an offer that is withdrawn while the person reads cannot be taken', async () => {
  const offer = { id: `offer_${randomUUID()}`, issuerState: randomUUID(), holder: anna }
  await server.addOffer({ ...offer, configurationIds: ['MeteringPointEntitlement'] })
  const begun = await begin({ scope: 'MeteringPointEntitlement', issuer_state: offer.issuerState })
  const browser = new Browser()
  const signIn = await browser.follow(begun.url, callback)
  const agreement = await browser.follow(signIn.url, callback, form({ persona: 'anna' }))
  await server.withdrawOffer(offer.id)
  const { url } = await browser.follow(agreement.url, callback, form({ agree: 'yes' }))
  expect(url.searchParams.get('error')).toBe('access_denied')
})

test('an issuer state that is unknown, has expired, or is of an offer for another credential is refused', async () => {
  const [good, old] = [randomUUID(), randomUUID()]
  const offer = { holder: anna, configurationIds: ['RepresentationCredential'] }
  await server.addOffer({ ...offer, id: `offer_${good}`, issuerState: good })
  await server.addOffer({ ...offer, id: `offer_${old}`, issuerState: old, expired: true })
  const scope = 'RepresentationCredential'
  const asked = async (fields: Record<string, string>) => (await begin(fields)).answer
  const invalid = { status: 400, body: { error: 'invalid_request' } }
  expect(await asked({ scope, issuer_state: randomUUID() })).toMatchObject(invalid)
  expect(await asked({ scope, issuer_state: old })).toMatchObject(invalid)
  expect(await asked({ scope: 'MeteringPointEntitlement', issuer_state: good })).toMatchObject({
    body: { error: 'invalid_scope' },
  })
  const details = credentialDetails('MeteringPointEntitlement')
  expect(await asked({ authorization_details: details, issuer_state: good })).toMatchObject({
    body: { error: 'invalid_authorization_details' },
  })
  expect((await asked({ scope, issuer_state: good })).status).toBe(201)
})

test.each([
  ['without PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  ['with plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['with a redirect URI that is not listed', { redirect_uri: 'https://evil.example/cb' }, 'invalid_request'],
  ['with a longer redirect URI', { redirect_uri: 'https://wallet.example/cb/more' }, 'invalid_request'],
  ['without a redirect URI', { redirect_uri: undefined }, 'invalid_request'],
  ['for no credential', { scope: undefined }, 'invalid_scope'],
  ['for credentials that nobody issues', { scope: 'PassportCredential' }, 'invalid_scope'],
  ['for the person as such', { scope: 'openid MeteringPointEntitlement' }, 'invalid_scope'],
  ['for a token in the answer', { response_type: 'token' }, 'unsupported_response_type'],
  [
    'with details for an unknown configuration',
    { authorization_details: credentialDetails('PassportCredential') },
    'invalid_authorization_details',
  ],
  ['for another resource', { resource: 'https://elsewhere.example' }, 'invalid_target'],
])('a request %s is refused', async (_, fields, error) => {
  const { answer } = await begin({ scope: 'MeteringPointEntitlement', ...fields })
  expect(answer).toMatchObject({ status: 400, body: { error } })
})

test('a request with a text that no database can keep is invalid, and no fault of ours', async () => {
  const begun = await begin({ scope: 'MeteringPointEntitlement', login_hint: 'a\u0000b' })
  const { url } = await new Browser().follow(begun.url, callback)
  expect(url.href).toContain(callback)
  expect(url.searchParams.get('error')).toBe('invalid_request')
})

test('a wallet that is not listed is refused', async () => {
  const { answer } = await begin({ scope: 'MeteringPointEntitlement', client_id: 'https://unknown.example' })
  expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test('a request that was not pushed is refused', async () => {
  const query = new URLSearchParams({
    ...{ client_id: wallet, response_type: 'code', scope: 'MeteringPointEntitlement', redirect_uri: callback },
    ...{ code_challenge: await calculatePKCECodeChallenge('x'.repeat(43)), code_challenge_method: 'S256' },
  })
  const { url } = await new Browser().follow(`${server.issuer}/authorize?${query}`, callback)
  expect(url.searchParams.get('error')).toBe('invalid_request')
})

test('a code is of no use with another verifier, redirect URI, wallet or key, without proof, or twice', async () => {
  const fresh = async () => {
    const begun = await begin({ scope: 'MeteringPointEntitlement' })
    const { back } = await answerPages(new Browser(), begun, 'anna', 'agree')
    return { code: back.searchParams.get('code') ?? '', verifier: begun.verifier }
  }
  const invalid = { status: 400, body: { error: 'invalid_grant' } }
  const { code, verifier } = await fresh()
  expect(await exchange(code, randomPKCECodeVerifier())).toMatchObject(invalid)
  expect(await exchange(code, verifier, { redirect_uri: 'https://wallet.example/cb' })).toMatchObject(invalid)
  expect(await exchange(code, verifier, {}, { key: null })).toMatchObject(invalid)
  expect((await exchange(code, verifier)).status).toBe(200)
  expect(await exchange(code, verifier)).toMatchObject(invalid)
  const bound = await fresh()
  // RFC 9449 section 10.1: the proof at the pushed request binds the code to its key.
  expect(await exchange(bound.code, bound.verifier, {}, { key: await newProofKey() })).toMatchObject(invalid)
})

test('a page of a listed wallet may call the endpoints, one of another origin may not', async () => {
  const asked = (origin: string) => begin({ scope: 'MeteringPointEntitlement' }, { headers: { origin } })
  const own = (await asked('https://wallet.example')).answer
  expect(own.status).toBe(201)
  expect(own.headers.get('access-control-allow-origin')).toBe('https://wallet.example')
  expect((await asked('https://evil.example')).answer).toMatchObject({
    status: 400,
    body: { error: 'invalid_request' },
  })
})
