import { createHash } from 'node:crypto'
import { setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vciClient } from '@openid4vc/openid4vci'
import { preAuthorizedCodeGrant } from '@tillit/schemas'
import jsqr from 'jsqr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  addHolder,
  type Identity,
  newId,
  newIdentity,
  organisation,
  publicUrl,
  startCity,
  type TestCity,
} from './start-city.ts'

/** A CommonJS module whose types promise an ES one. */
const decodeQr = 'default' in jsqr ? jsqr.default : jsqr

const path = '/openid4vci/offers'
const entitlement = ['MeteringPointEntitlement']

let city: TestCity
let adviser: Identity
beforeAll(async () => {
  city = await startCity()
  adviser = await newIdentity()
  await city.accredit(city.utility)
  await city.accredit(adviser, { registration_number: '2', roles: ['eligible_party'] })
})
afterAll(() => city.stop())

const holder = () => newId('cust')
const offer = (body: object = {}, by = organisation(city.utility)): Promise<Answer> =>
  city.call(by, 'POST', path, { holder: holder(), configuration_ids: entitlement, ...body })
const fetchOffer = (id: unknown) => city.call(null, 'GET', `${path}/${id}`)
const contract = async (id: unknown) => {
  const db = city.database.connect<{ 'credentials.offer_v1': Record<string, unknown> }>('authorization')
  return db.selectFrom('credentials.offer_v1').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}
const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

describe('an offer', () => {
  test('of a utility is read by an independent wallet', async () => {
    setGlobalConfig({ allowInsecureUrls: true })
    const { status, body } = await offer()
    expect(status).toBe(201)
    const { links } = body as { links: Record<string, string> }
    const wallet = new Openid4vciClient({
      callbacks: {
        fetch: async (url: unknown) => {
          const reply = await city.app.inject({ method: 'GET', url: String(url).slice(publicUrl.length) })
          return new Response(reply.body, {
            status: reply.statusCode,
            headers: { 'content-type': String(reply.headers['content-type']) },
          })
        },
      } as never,
    })
    for (const link of [links.openid_credential_offer, links.haip_vci]) {
      expect(await wallet.resolveCredentialOffer(link ?? '')).toMatchObject({
        credential_issuer: publicUrl,
        credential_configuration_ids: entitlement,
        grants: {
          [preAuthorizedCodeGrant]: {
            'pre-authorized_code': expect.stringMatching(/^[\w-]{43}$/),
            authorization_server: `${publicUrl}/oauth`,
            tx_code: { input_mode: 'numeric', length: 6 },
          },
        },
      })
    }
  })

  test('gives the authorization server what it needs to redeem it, and no code', async () => {
    const to = holder()
    const { body } = await offer({ holder: to })
    const { grants } = (await fetchOffer(body.id)).body as { grants: Record<string, Record<string, string>> }
    const code = grants[preAuthorizedCodeGrant]?.['pre-authorized_code'] ?? ''
    const row = await contract(body.id)
    expect(row).toMatchObject({
      holder: to,
      configuration_ids: entitlement,
      withdrawn: false,
      issuer_state_sha256: null,
    })
    expect(row.code_sha256).toEqual(sha256(code))
    expect(row.tx_code_sha256).toEqual(sha256(row.tx_code_salt as Uint8Array, String(body.tx_code)))
    expect(String(body.tx_code)).toMatch(/^[0-9]{6}$/)
    expect(JSON.stringify(row)).not.toContain(code)
  })

  test('for somebody who signs in has an issuer state in place of a code', async () => {
    const { body } = await offer({ grant: 'authorization_code' })
    expect(body.tx_code).toBeUndefined()
    const { grants } = (await fetchOffer(body.id)).body as { grants: Record<string, Record<string, string>> }
    expect(Object.keys(grants)).toEqual(['authorization_code'])
    const row = await contract(body.id)
    expect(row).toMatchObject({ code_sha256: null, tx_code_sha256: null })
    expect(row.issuer_state_sha256).toEqual(sha256(grants.authorization_code?.issuer_state ?? ''))
    expect((await offer({ grant: 'authorization_code', tx_code: true })).body).toMatchObject({
      code: 'invalid-request',
    })
  })

  test('may do without a transaction code', async () => {
    const { body } = await offer({ tx_code: false })
    expect(body.tx_code).toBeUndefined()
    expect(JSON.stringify((await fetchOffer(body.id)).body)).not.toContain('tx_code')
  })

  test('comes as a QR code that holds its link', async () => {
    const { body } = await offer()
    const { links, qr } = body as { links: Record<string, string>; qr: string }
    const image = qr.slice(publicUrl.length)
    for (const [query, link] of [
      ['', links.openid_credential_offer],
      ['?scheme=haip-vci', links.haip_vci],
    ] as const) {
      const reply = await city.app.inject({ method: 'GET', url: image + query })
      expect(reply.headers['content-type']).toMatch(/^image\/svg\+xml/)
      expect(readQr(reply.body)).toBe(link)
    }
    expect((await city.app.inject({ method: 'GET', url: `${image}?scheme=javascript` })).statusCode).toBe(400)
  })

  test('stands for seven days, or as long as it was said', async () => {
    const { body: week } = await offer()
    const { body: minute } = await offer({ expires_in: 60 })
    const before = city.clock.now
    city.clock.now = new Date(before.getTime() + 60_000)
    expect([(await fetchOffer(week.id)).status, (await fetchOffer(minute.id)).status]).toEqual([200, 404])
    city.clock.now = new Date(before.getTime() + 7 * 24 * 3600_000)
    expect((await fetchOffer(week.id)).status).toBe(404)
    expect((await city.app.inject({ method: 'GET', url: `${path}/${week.id}/qr.svg` })).statusCode).toBe(404)
    city.clock.now = before
  })

  test('that was withdrawn is none any more; withdrawing it again changes nothing', async () => {
    const { body } = await offer()
    for (const by of [organisation(adviser), { kind: 'customer', id: holder() } as const])
      expect((await city.call(by, 'DELETE', `${path}/${body.id}`)).status).toBe(404)
    for (let i = 0; i < 2; i++)
      expect((await city.call(organisation(city.utility), 'DELETE', `${path}/${body.id}`)).status).toBe(204)
    expect((await fetchOffer(body.id)).status).toBe(404)
    expect(await contract(body.id)).toMatchObject({ withdrawn: true })
  })
})

describe('who may offer what', () => {
  test('a customer: their own, to themselves, for ten minutes', async () => {
    const { customer } = await addHolder(city, city.utility)
    const own = (body: object) => city.call(customer, 'POST', path, { configuration_ids: entitlement, ...body })
    const { status, body } = await own({})
    expect([status, body.holder]).toEqual([201, customer.id])
    expect(Date.parse(String(body.expires_at)) - Date.parse(String(body.created_at))).toBe(600_000)
    expect((await own({ holder: customer.id })).status).toBe(201)
    expect((await own({ holder: holder() })).body).toMatchObject({ code: 'role-required' })
  })

  test('the registrar: accreditations', async () => {
    const by = organisation(city.registrar)
    const body = { holder: adviser.did, configuration_ids: ['OrganisationCredential'] }
    expect((await offer(body, by)).status).toBe(201)
    expect((await offer(body)).body).toMatchObject({ code: 'role-required' })
    expect((await offer({}, by)).body).toMatchObject({ code: 'role-required' })
  })

  test('nobody: what others issue, what is unknown, or to holders of the wrong kind', async () => {
    expect((await offer({}, organisation(adviser))).body).toMatchObject({ code: 'role-required' })
    expect((await offer({ configuration_ids: ['ConsentReceipt'] })).body).toMatchObject({ code: 'role-required' })
    expect((await offer({ configuration_ids: ['Unknown'] })).body).toMatchObject({
      code: 'unknown-credential-configuration',
      pointer: '/configuration_ids/0',
    })
    expect((await offer({ holder: adviser.did })).body).toMatchObject({ code: 'invalid-request', pointer: '/holder' })
    expect((await offer({ holder: undefined })).body).toMatchObject({ code: 'invalid-request', pointer: '/holder' })
    expect((await offer({ expires_in: 31 * 24 * 3600 })).body).toMatchObject({ code: 'invalid-request' })
    expect((await city.call(null, 'POST', path, {})).status).toBe(401)
    expect((await city.call({ kind: 'device', id: adviser.did }, 'POST', path, {})).status).toBe(403)
  })

  test('a utility whose key the city does not keep: nothing that it could not sign', async () => {
    const utility = await newIdentity()
    await city.accredit(utility, { registration_number: '4' })
    expect((await offer({}, organisation(utility))).body).toMatchObject({ code: 'untrusted-issuer' })
  })

  test('a utility: about its own metering points only', async () => {
    const { point: own } = await addHolder(city, city.utility)
    const { point: foreign } = await addHolder(city, await newIdentity())
    expect((await offer({ resource: own })).status).toBe(201)
    for (const resource of [foreign, newId('mp')])
      expect((await offer({ resource })).body).toMatchObject({ code: 'metering-point-not-found' })
  })

  test('who may act for whom: the utility for a metering point of its own, the registrar for everything', async () => {
    const { customer, point } = await addHolder(city, city.utility)
    const { point: foreign } = await addHolder(city, await newIdentity())
    const claims = { represents: customer.id, role: 'guardian', powers: ['read'], from: '2026-01-01T00:00:00Z' }
    const representation = (changes: object, by = city.utility) =>
      offer({ configuration_ids: ['RepresentationCredential'], claims, ...changes }, organisation(by))
    expect((await representation({ claims: { ...claims, metering_point: point } })).status).toBe(201)
    expect((await representation({}, city.registrar)).status).toBe(201)
    expect((await representation({})).body).toMatchObject({ code: 'role-required' })
    expect((await representation({ claims: { ...claims, metering_point: foreign } })).body).toMatchObject({
      code: 'metering-point-not-found',
    })
    expect((await representation({ claims: undefined })).body).toMatchObject({ code: 'invalid-request' })
    expect((await representation({ claims: { role: 'king' } }, city.registrar)).body).toMatchObject({
      code: 'invalid-credential',
    })
    expect((await offer({ claims })).body).toMatchObject({ code: 'invalid-request', pointer: '/claims' })
    const self = { configuration_ids: ['RepresentationCredential'], claims }
    expect((await city.call(customer, 'POST', path, self)).body).toMatchObject({ code: 'role-required' })
  })

  test('a suspended utility: nothing', async () => {
    const utility = await newIdentity()
    await city.accredit(utility, { registration_number: '3' })
    await city.call(organisation(city.registrar), 'POST', `/trust/organisations/${utility.did}/suspension`)
    expect((await offer({}, organisation(utility))).body).toMatchObject({ code: 'party-not-active' })
  })
})

test('offers are listed for whoever made them, page by page, with their state', async () => {
  const by = { kind: 'customer', id: holder() } as const
  const own = { holder: undefined, expires_in: 120 }
  const made = [await offer(own, by), await offer(own, by), await offer({ ...own, expires_in: 60 }, by)].map(
    ({ body }) => body,
  )
  await city.call(by, 'DELETE', `${path}/${made[0]?.id}`)
  const before = city.clock.now
  city.clock.now = new Date(before.getTime() + 60_000)
  const seen: unknown[] = []
  for (let next: unknown = '', pages = 0; next !== undefined; pages++) {
    const { body } = await city.call(by, 'GET', `${path}?limit=2${next === '' ? '' : `&after=${next}`}`)
    seen.push(...(body.offers as unknown[]))
    next = body.next
    expect(pages).toBeLessThan(2)
  }
  city.clock.now = before
  const states = ['withdrawn', 'open', 'expired']
  expect(new Set(seen.map((one) => JSON.stringify(one)))).toEqual(
    new Set(
      made.map(({ id, holder, configuration_ids, created_at, expires_at }, index) =>
        JSON.stringify({ id, holder, configuration_ids, state: states[index], created_at, expires_at }),
      ),
    ),
  )
  expect((await city.call(organisation(adviser), 'GET', path)).body).toEqual({ offers: [] })
})

/** Draws the squares of the SVG as pixels and reads them as a camera would. */
function readQr(svg: string): string | undefined {
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1])
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255)
  for (const [, x, y, side] of svg.matchAll(/M(\d+),(\d+)h(\d+)/g)) {
    for (let row = Number(y); row < Number(y) + Number(side); row++) {
      const start = (row * size + Number(x)) * 4
      for (let i = start; i < start + Number(side) * 4; i += 4) pixels.fill(0, i, i + 3)
    }
  }
  return decodeQr(pixels, size, size)?.data
}
