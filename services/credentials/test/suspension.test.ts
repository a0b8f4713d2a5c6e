import { randomBytes } from 'node:crypto'
import { gunzipSync, inflateSync } from 'node:zlib'
import { fromBase64url } from '@tillit/codec'
import { bitstringStatusReader, type StatusPurpose, statusReader } from '@tillit/credential'
import { createResolver } from '@tillit/did'
import { toPublicJwk } from '@tillit/keys'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  addHolder,
  idOf,
  newIdentity,
  organisation,
  partyIn,
  publicUrl,
  startCity,
  type TestCity,
} from './start-city.ts'

let city: TestCity
beforeAll(async () => {
  city = await startCity({ statusListSize: 512 })
  await city.accredit(city.utility)
})
afterAll(() => city.stop())

interface Entitlement {
  id: string
  credential: string
  uri: string
  idx: number
}

async function issueEntitlement(): Promise<Entitlement> {
  const { point } = await addHolder(city, city.utility)
  const holder = await newIdentity()
  const { id, credential } = await city.credentials.issueCredential({
    type: 'MeteringPointEntitlement',
    holder: { did: holder.did, jwk: toPublicJwk(holder.signer.publicKey) },
    claims: { gsrn: '707057500000000001', metering_point: point, role: 'holder', from: '2025-01-01T00:00:00Z' },
  })
  const { status } = JSON.parse(new TextDecoder().decode(fromBase64url(credential.split('.')[1] ?? '')))
  return { id, credential, ...status.status_list }
}

const fetchText = async (uri: string) => (await city.call(null, 'GET', uri.slice(publicUrl.length))).text

/** What outside verifiers of both kinds read, each from its own list. */
async function statusesOf({ uri, idx }: Entitlement): Promise<string[]> {
  const now = () => city.clock.now
  const resolver = createResolver({ webvhLog: async () => null, webvhWitness: async () => null, fetchText: null, now })
  const common = {
    issuerDids: [city.authority.did],
    resolveDid: async (did: string) => ({ ...(await resolver.resolve(did)) }),
    now,
  }
  const token = statusReader({
    ...common,
    fetchToken: fetchText,
    inflate: (bytes, maxOutputLength) => new Uint8Array(inflateSync(bytes, { maxOutputLength })),
  })
  const bitstring = bitstringStatusReader({
    ...common,
    fetchCredential: fetchText,
    gunzip: (bytes, maxOutputLength) => new Uint8Array(gunzipSync(bytes, { maxOutputLength })),
  })
  const of = (purpose: StatusPurpose) => bitstring(`${uri}/${purpose}`, idx)
  return [await token(uri, idx), await of('revocation'), await of('suspension')]
}

const suspend = (id: string, by = city.utility) => city.call(organisation(by), 'POST', `/credentials/${id}/suspension`)
const reinstate = (id: string, by = city.utility) =>
  city.call(organisation(by), 'DELETE', `/credentials/${id}/suspension`)

describe('a credential', () => {
  test('is suspended and reinstated by its issuer, in both lists and in verification', async () => {
    const entitlement = await issueEntitlement()
    expect(await statusesOf(entitlement)).toEqual(['valid', 'valid', 'valid'])
    expect((await suspend(entitlement.id)).status).toBe(204)
    expect(await statusesOf(entitlement)).toEqual(['suspended', 'valid', 'suspended'])
    expect((await city.verify(entitlement.credential)).body).toMatchObject({ verified: false, status: 'suspended' })
    expect((await suspend(entitlement.id)).status).toBe(204)
    expect((await reinstate(entitlement.id)).status).toBe(204)
    expect(await statusesOf(entitlement)).toEqual(['valid', 'valid', 'valid'])
    expect((await city.verify(entitlement.credential)).body).toMatchObject({ verified: true, status: 'valid' })
  })

  test('that is revoked while it is suspended is revoked, and never comes back', async () => {
    const entitlement = await issueEntitlement()
    await suspend(entitlement.id)
    await city.call(organisation(city.utility), 'POST', `/credentials/${entitlement.id}/revocation`)
    expect(await statusesOf(entitlement)).toEqual(['revoked', 'revoked', 'valid'])
    expect((await reinstate(entitlement.id)).body).toMatchObject({ code: 'conflict' })
    expect((await suspend(entitlement.id)).body).toMatchObject({ code: 'conflict' })
    expect(await statusesOf(entitlement)).toEqual(['revoked', 'revoked', 'valid'])
  })

  test('is suspended by its issuer and the registrar only', async () => {
    const entitlement = await issueEntitlement()
    const stranger = await newIdentity()
    await city.accredit(stranger)
    for (const caller of [stranger, await newIdentity()]) {
      expect((await suspend(entitlement.id, caller)).body).toMatchObject({ code: 'role-required' })
      expect((await reinstate(entitlement.id, caller)).body).toMatchObject({ code: 'role-required' })
    }
    expect((await city.call(null, 'POST', `/credentials/${entitlement.id}/suspension`)).status).toBe(401)
    expect((await suspend(entitlement.id, city.registrar)).status).toBe(204)
    expect(await statusesOf(entitlement)).toEqual(['suspended', 'valid', 'suspended'])
  })

  test('that accredits an organisation is suspended with it, not by itself', async () => {
    const { credential } = partyIn(await city.accredit(await newIdentity()))
    expect((await suspend(await idOf(city, credential ?? ''), city.registrar)).body).toMatchObject({ code: 'conflict' })
  })

  test('that nobody issued is not found', async () => {
    const unknown = `cred_${randomBytes(16).toString('base64url')}`
    expect((await suspend(unknown)).status).toBe(404)
    expect((await reinstate(unknown)).status).toBe(404)
  })
})

describe('a list', () => {
  test('shows a change to whoever asks after its commit, however many ask meanwhile', async () => {
    const entitlement = await issueEntitlement()
    const path = entitlement.uri.slice(publicUrl.length)
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, () => city.call(null, 'GET', path)),
      suspend(entitlement.id),
      ...Array.from({ length: 20 }, () => city.call(null, 'GET', path)),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(40).fill(200), 204])
    expect(await statusesOf(entitlement)).toEqual(['suspended', 'valid', 'suspended'])
  })

  test('is signed once for all who wait for it, and again only when something changed', async () => {
    const { uri, id } = await issueEntitlement()
    const path = `${uri.slice(publicUrl.length)}/revocation`
    const tags = async () =>
      new Set(
        (await Promise.all(Array.from({ length: 10 }, () => city.call(null, 'GET', path)))).map(
          ({ headers, text }) => `${headers.etag} ${text}`,
        ),
      )
    const before = await tags()
    expect(before.size).toBe(1)
    expect(await tags()).toEqual(before)
    await suspend(id)
    const after = await tags()
    expect(after.size).toBe(1)
    expect(after).not.toEqual(before)
  })

  test('for W3C credentials may be kept for a second and is asked for again by its tag', async () => {
    const { uri } = await issueEntitlement()
    const url = `${uri.slice(publicUrl.length)}/suspension`
    const first = await city.app.inject({ method: 'GET', url })
    expect(first.headers).toMatchObject({
      'content-type': 'application/vc+jwt',
      'cache-control': 'public, max-age=1',
      'access-control-allow-origin': '*',
    })
    const headers = { 'if-none-match': String(first.headers.etag) }
    expect((await city.app.inject({ method: 'GET', url, headers })).statusCode).toBe(304)
  })

  test('has no other purposes than revocation and suspension', async () => {
    const { uri } = await issueEntitlement()
    expect((await city.call(null, 'GET', `${uri.slice(publicUrl.length)}/refresh`)).status).toBe(400)
    expect((await city.call(null, 'GET', '/credentials/status-lists/999999/revocation')).status).toBe(404)
  })

  test('is named where all lists are, and says where that is', async () => {
    const { uri } = await issueEntitlement()
    const [, payload = ''] = (await fetchText(uri)).split('.')
    const { status_list, ttl, iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString())
    expect(status_list.aggregation_uri).toBe(`${publicUrl}/credentials/status-lists`)
    expect([ttl, exp - iat]).toEqual([1, 86_400])
    const { status_lists } = JSON.parse(await fetchText(status_list.aggregation_uri))
    expect(status_lists).toContain(uri)
    const metadata = await city.call(null, 'GET', '/.well-known/openid-credential-issuer')
    expect(metadata.body).toMatchObject({ status_list_aggregation_uri: status_list.aggregation_uri })
  })
})
