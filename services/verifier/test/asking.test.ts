import { administer } from '@tillit/database'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readQr } from './read-qr.ts'
import { newIdentity, startVerifier, type TestVerifier, verifierUrl } from './start-verifier.ts'

const vct = 'https://tillit.example/credentials/MeteringPointEntitlement'
const entitlement = { id: 'entitlement', format: 'dc+sd-jwt', meta: { vct_values: [vct] } }

let verifier: TestVerifier

beforeAll(async () => {
  verifier = await startVerifier()
}, 60_000)

afterAll(() => verifier.stop())

beforeEach(() => {
  verifier.city.clock.now = new Date()
})

const ask = (body: object, asker = verifier.adviser) =>
  verifier.call(asker, 'POST', '/presentations', { purpose: 'To advise you', ...body })

describe('asking for a presentation', () => {
  test('gives links and a QR code that lead a wallet to the request', async () => {
    const asked = await verifier.ask({ query: { credentials: [entitlement] } })
    expect(asked).toMatchObject({ state: 'requested', flow: 'cross-device', purpose: expect.any(String) })
    expect(asked.request.request_uri).toMatch(/^https:\/\/verifier\.test\/openid4vp\/requests\/vpr_[\w-]{22}$/)
    const qr = await verifier.call(null, 'GET', asked.request.qr.slice(verifierUrl.length))
    expect(qr.headers['content-type']).toMatch(/^image\/svg\+xml/)
    expect(readQr(qr.text)).toBe(asked.request.links.openid4vp)
  })

  test('gives a link through the web wallet that is named', async () => {
    const asked = await verifier.ask({
      query: { credentials: [entitlement] },
      wallet_endpoint: 'https://wallet.example/authorize?tenant=1',
    })
    const link = new URL(asked.request.links.https ?? '')
    expect(link.origin + link.pathname).toBe('https://wallet.example/authorize')
    expect(link.searchParams.get('tenant')).toBe('1')
    expect(link.searchParams.get('request_uri')).toBe(asked.request.request_uri)
  })

  test('tells the wallet who asks, by their accreditation, and why', async () => {
    const asked = await verifier.ask({ query: { credentials: [entitlement] } })
    const object = decodeJwt(await (await verifier.fetch(asked.request.request_uri)).text())
    expect(object.verifier_info).toEqual([
      { format: 'dc+sd-jwt', data: expect.stringContaining('~') },
      {
        format: 'https://tillit.example/verifier-info/purpose',
        data: { asked_by: verifier.adviser.did, name: 'Sparring AS', purpose: 'To advise you about your use' },
      },
    ])
  })

  test('is done in the organisation’s own name where the city keeps its key', async () => {
    const { utility } = verifier.city
    const asked = await verifier.ask({ query: { credentials: [entitlement] } }, utility)
    expect(asked.client_id).toBe(`decentralized_identifier:${utility.did}`)
    const object = await (await verifier.fetch(asked.request.request_uri)).text()
    expect(decodeProtectedHeader(object).kid).toBe(utility.keyId)
  })

  test('is for accredited organisations', async () => {
    const stranger = await newIdentity()
    expect((await ask({ query: { credentials: [entitlement] } }, stranger)).body.code).toBe('party-not-active')
    const customer = { kind: 'customer' as const, id: `cust_${'A'.repeat(22)}` }
    const answer = await verifier.call(customer, 'POST', '/presentations', { purpose: 'x' })
    expect(answer).toMatchObject({ status: 403, body: { code: 'role-required' } })
    expect((await verifier.call(null, 'POST', '/presentations', { purpose: 'x' })).status).toBe(401)
  })

  test('ends for an organisation that is suspended', async () => {
    const other = await newIdentity()
    await verifier.city.accredit(other, { roles: ['eligible_party'], purposes: [] })
    const asked = await verifier.ask({ query: { credentials: [entitlement] } }, other)
    expect((await verifier.fetch(asked.request.request_uri)).status).toBe(200)
    const registrar = { kind: 'organisation' as const, id: verifier.city.registrar.did }
    await verifier.city.call(registrar, 'POST', `/trust/organisations/${encodeURIComponent(other.did)}/suspension`)
    expect((await ask({ query: { credentials: [entitlement] } }, other)).body.code).toBe('party-not-active')
    expect((await verifier.fetch(asked.request.request_uri)).status).toBe(410)
  })

  const point = { name: 'may-act-for-metering-point', metering_point: `mp_${'A'.repeat(22)}` }
  const query = { credentials: [entitlement] }
  test.each<[string, object, string]>([
    ['neither query nor preset', {}, 'invalid-request'],
    ['both query and preset', { query, preset: point }, 'invalid-request'],
    ['a preset that is not known', { preset: { name: 'everything' } }, 'invalid-request'],
    [
      'a credential that is not known',
      { query: { credentials: [{ ...entitlement, meta: { vct_values: ['urn:eudi:pid:1'] } }] } },
      'unknown-credential-type',
    ],
    ['two queries of one id', { query: { credentials: [entitlement, entitlement] } }, 'invalid-request'],
    [
      'no proof by the holder',
      { query: { credentials: [{ ...entitlement, require_cryptographic_holder_binding: false }] } },
      'invalid-request',
    ],
    [
      'a format that is not verified here',
      { query: { credentials: [{ ...entitlement, format: 'mso_mdoc' }] } },
      'invalid-request',
    ],
    ['a redirect across devices', { query, redirect_uri: 'https://adviser.example/' }, 'invalid-request'],
    ['no redirect on the same device', { query, flow: 'same-device' }, 'invalid-request'],
    [
      'a redirect without TLS',
      { query, flow: 'same-device', redirect_uri: 'http://adviser.example/' },
      'invalid-request',
    ],
    [
      'a redirect that runs code',
      { query, flow: 'same-device', redirect_uri: 'javascript:alert(1)' },
      'invalid-request',
    ],
    [
      'a redirect with a fragment',
      { query, flow: 'same-device', redirect_uri: 'https://a.example/#x' },
      'invalid-request',
    ],
    ['a web wallet that runs code', { query, wallet_endpoint: 'javascript:alert(1)' }, 'invalid-request'],
    [
      'transaction data for a credential that is not asked for',
      { query, transaction_data: [{ type: 't', credential_ids: ['other'] }] },
      'invalid-request',
    ],
    ['a certificate that the operator does not have', { query, client_id_prefix: 'x509_hash' }, 'invalid-request'],
    ['a life of a day', { query, expires_in: 86_400 }, 'invalid-request'],
    ['something that is not known', { query, scope: 'all' }, 'unknown-field'],
  ])('refuses %s', async (_name, body, code) => {
    expect((await ask(body)).body).toMatchObject({ status: 400, code })
  })
})

test('a wallet that is a web page of another origin fetches the request and answers it', async () => {
  const asked = await verifier.ask({ query: { credentials: [entitlement] } })
  const { pathname } = new URL(asked.request.request_uri)
  for (const url of [pathname, pathname.replace('requests', 'responses')]) {
    const preflight = await verifier.app.inject({ method: 'OPTIONS', url })
    expect(preflight.statusCode).toBe(204)
    expect(preflight.headers['access-control-allow-methods']).toContain('POST')
    const refused = await verifier.app.inject({ method: 'POST', url, payload: {} })
    expect(refused.statusCode).toBeGreaterThanOrEqual(400)
    expect(refused.headers['access-control-allow-origin']).toBe('*')
  }
  const fetched = await verifier.fetch(asked.request.request_uri)
  expect([fetched.status, fetched.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
  const own = await verifier.app.inject({ method: 'OPTIONS', url: '/presentations' })
  expect([own.statusCode, own.headers['access-control-allow-origin']]).toEqual([404, undefined])
})

test('an organisation cannot pile up requests without end', async () => {
  const busy = await newIdentity()
  await verifier.city.accredit(busy, { roles: ['eligible_party'], purposes: [] })
  const { id } = await verifier.ask({ query: { credentials: [entitlement] } }, busy)
  await administer(
    verifier.city.database.url,
    `INSERT INTO verifier.presentations (id, request_id, asked_by, signed_by, client_id, flow, response_mode, purpose, query,
       transaction_data, nonce, keep_result_seconds, created_at, expires_at, delete_at)
     SELECT 'vp_' || lpad(n::text, 22, '0'), 'vpr_' || lpad(n::text, 22, '0'), asked_by, signed_by, client_id, flow, response_mode,
       purpose, query, transaction_data, nonce, keep_result_seconds, created_at, expires_at, delete_at
     FROM verifier.presentations, generate_series(1, 9999) AS n WHERE id = '${id}'`,
  )
  const refused = await ask({ query: { credentials: [entitlement] } }, busy)
  expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-requests' } })
  expect((await ask({ query: { credentials: [entitlement] } })).status).toBe(201)
})

describe('a wallet that fetches a request', () => {
  const post = (uri: string, body: string, type = 'application/x-www-form-urlencoded') =>
    verifier.fetch(uri, { method: 'POST', headers: { 'content-type': type }, body })

  test.each([
    ['metadata that is not JSON', 'wallet_metadata=%7B'],
    ['metadata that is no object', 'wallet_metadata=%5B%5D'],
    ['a list that is none', 'wallet_metadata=%7B%22authorization_encryption_enc_values_supported%22%3A1%7D'],
    ['no encryption of ours', 'wallet_metadata=%7B%22authorization_encryption_enc_values_supported%22%3A%5B%5D%7D'],
    [
      'no signature of ours',
      'wallet_metadata=%7B%22request_object_signing_alg_values_supported%22%3A%5B%22RS256%22%5D%7D',
    ],
    ['a parameter twice', 'wallet_nonce=a&wallet_nonce=b'],
  ])('is told in words when it says %s', async (_name, body) => {
    const asked = await verifier.ask({ query: { credentials: [entitlement] } })
    const reply = await post(asked.request.request_uri, body)
    expect(reply.status).toBe(400)
    expect(await reply.json()).toEqual({ error: 'invalid_request', error_description: expect.any(String) })
  })

  test('finds nothing under a name that was never given, and nothing that could be guessed', async () => {
    const unknown = `${verifierUrl}/openid4vp/requests/vpr_${'A'.repeat(22)}`
    expect((await verifier.fetch(unknown)).status).toBe(404)
    expect((await verifier.fetch(`${verifierUrl}/openid4vp/requests/1`)).status).toBe(400)
    expect((await post(unknown, '{}', 'application/json')).status).toBe(415)
  })

  test('is seen by the organisation that asked', async () => {
    const asked = await verifier.ask({ query: { credentials: [entitlement] } })
    await verifier.fetch(asked.request.request_uri)
    expect((await verifier.read(asked)).body).toMatchObject({ state: 'fetched' })
  })

  test('is too late when the time is over', async () => {
    const asked = await verifier.ask({ query: { credentials: [entitlement] }, expires_in: 30 })
    verifier.city.clock.now = new Date(verifier.city.clock.now.getTime() + 30_000)
    expect((await verifier.fetch(asked.request.request_uri)).status).toBe(410)
    expect((await verifier.fetch(asked.request.qr)).status).toBe(410)
    const { body } = await verifier.read(asked)
    expect(body).toMatchObject({ state: 'expired' })
    expect(body).not.toHaveProperty('request')
  })
})

test('a development city without TLS asks all the same, and sends holders back to such addresses', async () => {
  const insecure = await startVerifier({ publicUrl: 'http://localhost:8080' })
  try {
    const asked = await insecure.ask({
      query: { credentials: [entitlement] },
      flow: 'same-device',
      redirect_uri: 'http://localhost:3000/done',
    })
    const object = decodeJwt(await (await insecure.fetch(asked.request.request_uri)).text())
    expect(object.response_uri).toMatch(/^http:\/\/localhost:8080\/openid4vp\/responses\/vpr_/)
  } finally {
    await insecure.stop()
  }
}, 30_000)
