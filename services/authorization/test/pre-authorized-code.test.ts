import { randomUUID } from 'node:crypto'
import { administer } from '@tillit/database'
import { parseJws, type Signer, thumbprint } from '@tillit/keys'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AuthorizationTables } from '../src/store.ts'
import { newDidClient } from './did-client.ts'
import type { TestOffer } from './stand-in-views.ts'
import { personas, startServer, type TestServer } from './start-server.ts'
import {
  credentialDetails,
  detailsFor,
  newProofKey,
  type Parts,
  post,
  preAuthorizedCodeGrant,
  useToken,
} from './wallet-client.ts'

// OpenID4VCI 1.0 section 6: the token request with a pre-authorized code, and its errors (section 6.3).

let server: TestServer
let key: Signer
const holder = personas[0]?.customerId ?? ''
const listed = {
  client_id: 'https://wallet.example',
  name: 'Nordlommebok',
  redirect_uris: ['https://wallet.example/cb'],
}

beforeAll(async () => {
  server = await startServer({ wallets: [listed] })
  key = await newProofKey()
})
afterAll(() => server.stop())

async function newOffer(changes: Partial<TestOffer> = {}): Promise<TestOffer & { code: string }> {
  const offer = {
    ...{ id: `offer_${randomUUID()}`, code: randomUUID(), holder },
    ...{ configurationIds: ['MeteringPointEntitlement'], ...changes },
  }
  await server.addOffer(offer)
  return offer
}

const redeem = (code: string, fields: Record<string, string> = {}, parts: Parts = {}) =>
  post(
    server,
    'token',
    { grant_type: preAuthorizedCodeGrant, 'pre-authorized_code': code, ...fields },
    { key, ...parts },
  )

test('an anonymous wallet redeems an offer and gets a token for the credential of its holder', async () => {
  const offer = await newOffer()
  const answer = await redeem(offer.code)
  expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP', scope: 'MeteringPointEntitlement' } })
  expect(answer.headers.get('cache-control')).toContain('no-store')
  // Section 6.2: authorization_details are in the answer only where they were in the request.
  expect(answer.body).not.toHaveProperty('authorization_details')
  const token = answer.body.access_token ?? ''
  expect(parseJws(token).payload).toMatchObject({
    ...{ sub: holder, kind: 'customer', aud: server.publicUrl, offer: offer.id },
    authorization_details: detailsFor('MeteringPointEntitlement'),
    cnf: { jkt: thumbprint(key.publicKey) },
  })
  const { forWallets, forOthers } = await useToken(server, token, key)
  expect(forWallets).toMatchObject({
    ...{ kind: 'customer', id: holder, offer: offer.id },
    authorizationDetails: detailsFor('MeteringPointEntitlement'),
  })
  expect(forOthers).toMatchObject({ code: 'role-required' })
})

test('a wallet that is listed may say who it is', async () => {
  const offer = await newOffer()
  const answer = await redeem(offer.code, { client_id: listed.client_id })
  expect(parseJws(answer.body.access_token ?? '').payload).toMatchObject({ client_id: listed.client_id, sub: holder })
})

test('a wallet that gives an unknown client id is refused', async () => {
  const offer = await newOffer()
  expect(await redeem(offer.code, { client_id: 'https://nobody.example' })).toMatchObject({
    status: 401,
    body: { error: 'invalid_client' },
  })
})

test('an organisation redeems an offer made to its DID, unless it is suspended', async () => {
  const { did } = await newDidClient()
  await server.enlist('party', did, 'ACTIVE')
  const [first, second] = [await newOffer({ holder: did }), await newOffer({ holder: did })]
  const answer = await redeem(first.code)
  expect(parseJws(answer.body.access_token ?? '').payload).toMatchObject({ sub: did, kind: 'organisation' })
  await server.enlist('party', did, 'SUSPENDED')
  expect(await redeem(second.code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  const refresh = { grant_type: 'refresh_token', refresh_token: answer.body.refresh_token ?? '' }
  expect(await post(server, 'token', refresh, { key })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
})

test('a wallet may ask for a part of the offer by authorization details, and the answer says so', async () => {
  const configurationIds = ['MeteringPointEntitlement', 'RepresentationCredential']
  const offer = await newOffer({ configurationIds })
  const answer = await redeem(offer.code, { authorization_details: credentialDetails('RepresentationCredential') })
  expect(answer).toMatchObject({
    status: 200,
    body: { authorization_details: detailsFor('RepresentationCredential') },
  })
  expect(parseJws(answer.body.access_token ?? '').payload.authorization_details).toEqual(
    detailsFor('RepresentationCredential'),
  )
  const refresh = { grant_type: 'refresh_token', refresh_token: answer.body.refresh_token ?? '' }
  const refreshed = await post(server, 'token', refresh, { key })
  expect(refreshed.body.authorization_details).toEqual(detailsFor('RepresentationCredential'))
})

test('a token names each thing that the holder could receive, as it is when the token is given', async () => {
  const { did } = await newDidClient()
  await server.enlist('device', did, 'ACTIVE')
  const offer = await newOffer({ holder: did, configurationIds: ['MeterDeviceCredential'] })
  const { body } = await redeem(offer.code)
  const identifiersIn = (token = '') =>
    (parseJws(token).payload.authorization_details as { credential_identifiers: string[] }[])[0]?.credential_identifiers
  expect(identifiersIn(body.access_token)).toEqual(['MeterDeviceCredential'])
  server.identifiers.set(`${did} MeterDeviceCredential`, ['MeterDeviceCredential:mp_1', 'MeterDeviceCredential:mp_2'])
  const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' }
  const refreshed = await post(server, 'token', refresh, { key })
  expect(identifiersIn(refreshed.body.access_token)).toEqual(server.identifiers.get(`${did} MeterDeviceCredential`))
  // Under an offer that is about one of them it names no other.
  server.identifiers.set(`${offer.id} MeterDeviceCredential`, ['MeterDeviceCredential:mp_2'])
  const again = { grant_type: 'refresh_token', refresh_token: refreshed.body.refresh_token ?? '' }
  const { body: narrowed } = await post(server, 'token', again, { key })
  expect(identifiersIn(narrowed.access_token)).toEqual(['MeterDeviceCredential:mp_2'])
})

test('a wallet may ask for a part of the offer by scope', async () => {
  const configurationIds = ['MeteringPointEntitlement', 'RepresentationCredential']
  const answer = await redeem((await newOffer({ configurationIds })).code, { scope: 'RepresentationCredential other' })
  expect(answer.body.scope).toBe('RepresentationCredential')
  const both = await redeem((await newOffer({ configurationIds })).code, {
    ...{ scope: 'RepresentationCredential', authorization_details: credentialDetails('MeteringPointEntitlement') },
  })
  expect(both.body).toMatchObject({
    ...{ scope: 'RepresentationCredential', authorization_details: detailsFor('MeteringPointEntitlement') },
  })
  expect(parseJws(both.body.access_token ?? '').payload.authorization_details).toEqual(
    detailsFor('MeteringPointEntitlement', 'RepresentationCredential'),
  )
  const none = await newOffer({ configurationIds })
  expect(await redeem(none.code, { scope: 'other' })).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
})

test.each([
  ['that is in no offer', credentialDetails('RepresentationCredential')],
  ['that nobody issues', credentialDetails('PassportCredential')],
  ['beside one that is in the offer', credentialDetails('MeteringPointEntitlement', 'RepresentationCredential')],
  ['by a type that is not known', '[{"type":"payment"}]'],
  ['with a member that is not known', detailWith({ format: 'dc+sd-jwt' })],
  ['of another credential issuer', detailWith({ locations: ['https://elsewhere.example'] })],
  ['with claims that are none', detailWith({ claims: [{ path: [] }] })],
  ['in no JSON', 'MeteringPointEntitlement'],
])('authorization details for a credential %s are refused, and the offer stays good', async (_, details) => {
  const offer = await newOffer()
  expect(await redeem(offer.code, { authorization_details: details })).toMatchObject({
    status: 400,
    body: { error: 'invalid_authorization_details' },
  })
  expect((await redeem(offer.code)).status).toBe(200)
})

test('claims that are well described and the own issuer are taken', async () => {
  const details = detailWith({
    claims: [{ path: ['gsrn'] }, { path: ['from', null, 0] }],
    locations: [server.publicUrl],
  })
  expect((await redeem((await newOffer()).code, { authorization_details: details })).status).toBe(200)
})

function detailWith(members: object): string {
  const detail = { type: 'openid_credential', credential_configuration_id: 'MeteringPointEntitlement' }
  return JSON.stringify([{ ...detail, ...members }])
}

test.each([
  ['a code that was never given', async () => randomUUID()],
  ['the code of an offer that has expired', async () => (await newOffer({ expired: true })).code],
  [
    'the code of an offer that was withdrawn',
    async () => {
      const { id, code } = await newOffer()
      await server.withdrawOffer(id)
      return code
    },
  ],
])('%s is an invalid grant', async (_, code) => {
  expect(await redeem(await code())).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
})

test.each([
  ['offers', 'ALTER TABLE credentials.offer_v1 RENAME TO away', 'ALTER TABLE credentials.away RENAME TO offer_v1'],
  [
    'redemptions',
    'ALTER TABLE "authorization".offer_redemptions RENAME TO away',
    'ALTER TABLE "authorization".away RENAME TO offer_redemptions',
  ],
  [
    'proofs that were used',
    'ALTER TABLE "authorization".oauth_state RENAME TO away',
    'ALTER TABLE "authorization".away RENAME TO oauth_state',
  ],
])('while nobody knows the %s nothing is given, and the offer stays good', async (_, breaking, mending) => {
  const offer = await newOffer({ txCode: '493536' })
  await administer(server.database.url, breaking)
  const answer = await redeem(offer.code, { tx_code: '493536' })
  await administer(server.database.url, mending)
  expect(answer).toMatchObject({ status: 500, body: { error: 'server_error' } })
  expect((await redeem(offer.code, { tx_code: '493536' })).status).toBe(200)
})

test('a request without a code, or with two, is invalid', async () => {
  const invalid = { status: 400, body: { error: 'invalid_request' } }
  expect(await post(server, 'token', { grant_type: preAuthorizedCodeGrant }, { key })).toMatchObject(invalid)
  const body = `grant_type=${encodeURIComponent(preAuthorizedCodeGrant)}&pre-authorized_code=a&pre-authorized_code=b`
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  const answer = await fetch(`${server.issuer}/token`, { method: 'POST', headers, body })
  expect(await answer.json()).toMatchObject({ error: 'invalid_request' })
})

test('a code is used once, and of many uses at once one succeeds', async () => {
  const offer = await newOffer()
  const answers = await Promise.all(Array.from({ length: 12 }, () => redeem(offer.code)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ body }) => body.error === 'invalid_grant')).toHaveLength(11)
  expect(await redeem(offer.code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
})

test('a transaction code has to be right, and a wrong one may be put right', async () => {
  const offer = await newOffer({ txCode: '493536' })
  const wrong = await redeem(offer.code, { tx_code: '493537' })
  expect(wrong).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  expect(wrong.body.error_description).toContain('4')
  expect((await redeem(offer.code, { tx_code: '493536' })).status).toBe(200)
})

test('the transaction code of another offer is wrong', async () => {
  const [one, other] = [await newOffer({ txCode: '111111' }), await newOffer({ txCode: '222222' })]
  expect(await redeem(one.code, { tx_code: other.txCode ?? '' })).toMatchObject({ body: { error: 'invalid_grant' } })
})

test('a transaction code that is missing or not expected is an invalid request, and no try', async () => {
  const [needing, plain] = [await newOffer({ txCode: '493536' }), await newOffer()]
  const invalid = { status: 400, body: { error: 'invalid_request' } }
  for (let i = 0; i < 6; i++) expect(await redeem(needing.code)).toMatchObject(invalid)
  expect(await redeem(plain.code, { tx_code: '493536' })).toMatchObject(invalid)
  expect((await redeem(needing.code, { tx_code: '493536' })).status).toBe(200)
  expect((await redeem(plain.code)).status).toBe(200)
})

test('after five wrong transaction codes the offer is dead, also for the right one', async () => {
  const offer = await newOffer({ txCode: '493536' })
  for (let i = 0; i < 5; i++) expect((await redeem(offer.code, { tx_code: `00000${i}` })).status).toBe(400)
  expect(await redeem(offer.code, { tx_code: '493536' })).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  })
})

test('of a hundred guesses at once no more than five are looked at', async () => {
  const offer = await newOffer({ txCode: '000099' })
  const guesses = Array.from({ length: 100 }, (_, guess) => String(guess).padStart(6, '0'))
  const answers = await Promise.all(guesses.map((guess) => redeem(offer.code, { tx_code: guess })))
  const lookedAt = answers.filter(({ body }) => body.error_description?.includes('Tries that are left'))
  const redeemed = answers.filter(({ status }) => status === 200)
  expect(lookedAt.length + redeemed.length).toBeLessThanOrEqual(5)
  const db = server.database.connect<AuthorizationTables>('authorization')
  const row = await db
    .selectFrom('authorization.offer_redemptions')
    .selectAll()
    .where('offer_id', '=', offer.id)
    .executeTakeFirst()
  expect(row?.wrong_tx_codes).toBe(lookedAt.length)
})

test('a request without DPoP, or with a proof for another address or used before, is refused and the offer stays good', async () => {
  const offer = await newOffer()
  const refused = { status: 400, body: { error: 'invalid_dpop_proof' } }
  expect(await redeem(offer.code, {}, { key: null })).toMatchObject(refused)
  expect(await redeem(offer.code, {}, { proof: { htu: 'https://elsewhere.example/token' } })).toMatchObject(refused)
  expect(await redeem(offer.code, {}, { proof: { htm: 'GET' } })).toMatchObject(refused)
  const jti = randomUUID()
  expect((await redeem((await newOffer()).code, {}, { proof: { jti } })).status).toBe(200)
  expect(await redeem(offer.code, {}, { proof: { jti } })).toMatchObject(refused)
  expect((await redeem(offer.code)).status).toBe(200)
})

test('a wallet whose clock is wrong is given a nonce to prove itself with (RFC 9449 section 8)', async () => {
  const offer = await newOffer()
  const iat = Math.floor(Date.now() / 1000) - 3600
  const first = await redeem(offer.code, {}, { proof: { iat } })
  expect(first).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } })
  const nonce = first.headers.get('dpop-nonce')
  expect(await redeem(offer.code, {}, { proof: { iat, nonce: 'made-up' } })).toMatchObject({
    body: { error: 'use_dpop_nonce' },
  })
  expect((await redeem(offer.code, {}, { proof: { iat, nonce } })).status).toBe(200)
})

test('what was redeemed is refreshed with the same key only, until it is revoked or its offer is withdrawn', async () => {
  const offer = await newOffer()
  const { body } = await redeem(offer.code)
  const fields = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' }
  const refreshed = await post(server, 'token', fields, { key })
  expect(parseJws(refreshed.body.access_token ?? '').payload).toMatchObject({
    ...{ sub: holder, offer: offer.id, kind: 'customer' },
    authorization_details: detailsFor('MeteringPointEntitlement'),
  })
  const invalid = { status: 400, body: { error: 'invalid_grant' } }
  expect(await post(server, 'token', fields, { key: await newProofKey() })).toMatchObject(invalid)
  expect(await post(server, 'token', fields)).toMatchObject(invalid)
  await server.withdrawOffer(offer.id)
  expect(await post(server, 'token', fields, { key })).toMatchObject(invalid)

  const other = (await redeem((await newOffer()).code)).body.refresh_token ?? ''
  expect((await post(server, 'revoke', { token: other })).status).toBe(200)
  const again = { grant_type: 'refresh_token', refresh_token: other }
  expect(await post(server, 'token', again, { key })).toMatchObject(invalid)
})

test('a refreshed token may be for less, and never for more', async () => {
  const configurationIds = ['MeteringPointEntitlement', 'RepresentationCredential']
  const { body } = await redeem((await newOffer({ configurationIds })).code)
  const refresh = (fields: Record<string, string>) =>
    post(server, 'token', { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '', ...fields }, { key })
  const narrowed = await refresh({ scope: 'RepresentationCredential' })
  expect(parseJws(narrowed.body.access_token ?? '').payload.authorization_details).toEqual(
    detailsFor('RepresentationCredential'),
  )
  expect(await refresh({ scope: 'OrganisationCredential' })).toMatchObject({ body: { error: 'invalid_scope' } })
  expect(await refresh({ authorization_details: credentialDetails('OrganisationCredential') })).toMatchObject({
    body: { error: 'invalid_authorization_details' },
  })
})

test('a page of any origin may redeem a code, because nothing that a browser adds by itself counts', async () => {
  const { code } = await newOffer()
  const origin = 'https://web-wallet.example'
  const answer = await redeem(code, {}, { headers: { origin } })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
})

test('an anonymous wallet can do nothing else', async () => {
  const credentials = await post(
    server,
    'token',
    { grant_type: 'client_credentials', client_id: 'anonymous-wallet' },
    { key },
  )
  expect(credentials).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  const pushed = await post(server, 'par', { client_id: 'anonymous-wallet', response_type: 'code' }, { key })
  expect(pushed.status).toBe(400)
  const without = await post(
    server,
    'token',
    { grant_type: 'authorization_code', code: 'a', redirect_uri: 'b' },
    { key },
  )
  expect(without).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
})

test('neither codes nor transaction codes are kept or logged', async () => {
  const offer = await newOffer({ txCode: '739164' })
  const { body } = await redeem(offer.code, { tx_code: '739164' })
  const db = server.database.connect<AuthorizationTables>('authorization')
  const kept = JSON.stringify([
    await db.selectFrom('authorization.oauth_state').selectAll().execute(),
    await db.selectFrom('authorization.offer_redemptions').selectAll().execute(),
  ])
  for (const secret of [offer.code, '739164', body.refresh_token ?? '']) {
    expect(kept).not.toContain(secret)
    expect(server.logged.join('')).not.toContain(secret)
  }
})
