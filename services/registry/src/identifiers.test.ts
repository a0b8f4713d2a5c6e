import { deactivateDid, didKeyFor, updateDid } from '@tillit/did'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newDid, newSigner, type OwnRegistry, ownRegistry, testRegistry } from './registry.fixture.ts'

let city: OwnRegistry
beforeAll(async () => {
  city = await ownRegistry()
})
afterAll(() => city.close())

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000)
const full = { accept: 'application/did-url-dereferencing' }
const ask = (identifier: string, headers: Record<string, string> = {}) =>
  city.get(`/1.0/identifiers/${identifier}`, headers)
const typeOf = (name: string) => `https://www.w3.org/ns/did#${name}`

async function withServices() {
  const services = (id: string) => [
    { id: `${id}#shop`, type: 'Shop', serviceEndpoint: 'https://shop.example/base/' },
    { id: `${id}#object`, type: 'Map', serviceEndpoint: { uri: 'https://map.example' } },
  ]
  const did = await newDid({ services })
  expect((await city.post('/dids', { entry: did.entry, listed: true })).statusCode).toBe(201)
  const [method] = did.state.document.verificationMethod ?? []
  return { ...did, method: method?.id.split('#')[1] ?? '' }
}

describe('what comes back', () => {
  test.each([
    [undefined, 'application/did-resolution'],
    ['*/*', 'application/did-resolution'],
    ['application/*', 'application/did-resolution'],
    ['application/json', 'application/json'],
    ['text/html, application/did+json;q=0.3, application/did;q=0.7', 'application/did'],
    ['application/did+ld+json;q=1.0, application/did-resolution;q=0.9', 'application/did+ld+json'],
    ['application/did-resolution;q=0, */*;q=0.1', 'application/did'],
    ['application/did-url-dereferencing', 'application/did-url-dereferencing'],
    ['Application/DID+JSON', 'application/did+json'],
  ])('Accept %s gives %s', async (accept, type) => {
    const { did } = await withServices()
    const reply = await ask(did, accept === undefined ? {} : { accept })
    expect(reply.statusCode).toBe(200)
    expect(reply.headers['content-type']).toBe(type)
    expect(reply.headers['access-control-allow-origin']).toBe('*')
    expect(reply.headers.vary).toBe('accept')
    expect(reply.body).toContain(did)
  })

  test.each(['image/png', 'application/did;q=0', 'nonsense', '*/*;q=0', 'application/did;q=2'])(
    'Accept %s gives 406 with an error object',
    async (accept) => {
      const reply = await ask(didKeyFor((await newSigner()).publicKey), { accept })
      expect(reply.statusCode).toBe(406)
      expect(reply.json()).toMatchObject({ type: typeOf('REPRESENTATION_NOT_SUPPORTED'), status: 406 })
    },
  )

  test('HEAD answers as GET, without the body', async () => {
    const { did } = await withServices()
    const reply = await city.app.inject({ method: 'HEAD', url: `/1.0/identifiers/${did}` })
    expect([reply.statusCode, reply.body]).toEqual([200, ''])
    expect(Number(reply.headers['content-length'])).toBe((await ask(did)).body.length)
  })

  test('POST takes options in its body', async () => {
    const { did, entry, state, signer } = await withServices()
    await city.post(`/dids/${did}/entries`, await updateDid(state, { signer, now: ago(30) }))
    const older = await city.post(`/1.0/identifiers/${did}`, { versionNumber: 1 })
    expect(older.json()).toMatchObject({ didDocumentMetadata: { versionId: entry.versionId } })
    expect((await city.post(`/1.0/identifiers/${did}`, { unknown: true })).statusCode).toBe(400)
    const relationship = { verificationRelationship: 'keyAgreement' }
    const [method] = state.document.verificationMethod ?? []
    const path = encodeURIComponent(method?.id ?? '')
    expect((await city.post(`/1.0/identifiers/${path}`, relationship)).statusCode).toBe(400)
    expect(
      (await city.post(`/1.0/identifiers/${path}`, { verificationRelationship: 'authentication' })).statusCode,
    ).toBe(200)
  })
})

describe('versions', () => {
  test('by id, time and number, as options or in an encoded DID URL', async () => {
    const { did, entry, state, signer } = await withServices()
    const second = await updateDid(state, { signer, now: ago(30) })
    await city.post(`/dids/${did}/entries`, second)
    for (const query of [`versionId=${entry.versionId}`, `versionTime=${entry.versionTime}`, 'versionNumber=1']) {
      for (const identifier of [`${did}?${query}`, encodeURIComponent(`${did}?${query}`)])
        expect((await ask(identifier)).json()).toMatchObject({ didDocumentMetadata: { versionId: entry.versionId } })
    }
    expect((await ask(did)).json()).toMatchObject({ didDocumentMetadata: { versionId: second.versionId } })
    expect((await ask(`${did}?versionNumber=9`)).statusCode).toBe(404)
    for (const wrong of [
      'versionNumber=0',
      'versionNumber=x',
      'versionTime=yesterday',
      'versionId=1&versionNumber=1',
      'versionId=a&versionId=b',
    ])
      expect((await ask(`${did}?${wrong}`)).statusCode).toBe(400)
  })

  test('of a deactivated DID are gone, and those before can be asked for', async () => {
    const { did, entry, state, signer } = await withServices()
    expect((await ask(did)).statusCode).toBe(200)
    await city.post(`/dids/${did}/entries`, await deactivateDid(state, { signer, now: ago(30) }))
    const newest = await ask(did)
    expect(newest.statusCode).toBe(410)
    expect(newest.json()).toMatchObject({ didDocument: null, didDocumentMetadata: { deactivated: true } })
    const older = await ask(`${did}?versionId=${entry.versionId}`)
    expect(older.statusCode).toBe(200)
    expect(older.json()).toMatchObject({ didDocument: { id: did }, didDocumentMetadata: { deactivated: true } })
    const document = await ask(did, { accept: 'application/did' })
    expect(document.statusCode).toBe(410)
    expect(document.json()).toMatchObject({ code: 'did-deactivated', status: 410 })
    expect((await ask(`${did}%23x`, full)).statusCode).toBe(410)
  })

  test('a write is seen by the next request of the same city, and by another city on the database without its cache', async () => {
    const { did, state, signer } = await withServices()
    const other = await testRegistry(city.database)
    await ask(did)
    await other.get(`/1.0/identifiers/${did}`)
    const second = await updateDid(state, { signer, now: ago(30) })
    await city.post(`/dids/${did}/entries`, second)
    expect((await ask(did)).json()).toMatchObject({ didDocumentMetadata: { versionId: second.versionId } })
    expect((await other.registry.resolveDid(did)).didDocumentMetadata.versionId).toBe(second.versionId)
    const uncached = await other.get(`/1.0/identifiers/${did}?noCache=true`)
    expect(uncached.json()).toMatchObject({ didDocumentMetadata: { versionId: second.versionId } })
    await other.app.close()
  })
})

describe('DID URLs', () => {
  test('a fragment gives the verification method or service as a resource of its own', async () => {
    const { did, method } = await withServices()
    for (const identifier of [`${did}%23${method}`, encodeURIComponent(`${did}#${method}`)]) {
      const reply = await ask(identifier)
      expect(reply.statusCode).toBe(200)
      expect(reply.json()).toMatchObject({ id: `${did}#${method}`, type: 'Multikey' })
    }
    expect((await ask(`${did}%23shop`)).json()).toMatchObject({ id: `${did}#shop`, type: 'Shop' })
    const result = await ask(`${did}%23shop`, full)
    expect(result.headers['content-type']).toBe('application/did-url-dereferencing')
    expect(result.json()).toMatchObject({ contentStream: { type: 'Shop' }, dereferencingMetadata: {} })
    const missing = await ask(`${did}%23nothing`, full)
    expect(missing.statusCode).toBe(404)
    expect(missing.json()).toMatchObject({
      contentStream: null,
      dereferencingMetadata: { error: { type: typeOf('NOT_FOUND') } },
    })
  })

  test('a service with a relative reference leads to its URL', async () => {
    const { did } = await withServices()
    const reference = 'service=shop&relativeRef=%2Fbase%2Fa%3Fb'
    for (const identifier of [`${did}?${reference}`, encodeURIComponent(`${did}?${reference}`)]) {
      const reply = await ask(identifier)
      expect([reply.statusCode, reply.body]).toEqual([303, ''])
      expect(reply.headers.location).toBe('https://shop.example/base/a?b')
    }
    const list = await ask(`${did}?service=shop`, { accept: 'text/uri-list' })
    expect([list.statusCode, list.headers.location]).toEqual([303, 'https://shop.example/base/'])
    expect((await ask(`${did}?service=shop`)).json()).toMatchObject({ service: [{ type: 'Shop' }] })
    expect((await ask(`${did}?service=none`)).statusCode).toBe(404)
    expect((await ask(`${did}?service=shop&relativeRef=https%3A%2F%2Fevil.example`)).statusCode).toBe(400)
  })

  test('paths of a did:webvh lead to its files', async () => {
    const { did } = await withServices()
    const slug = did.split(':').at(-1)
    expect((await ask(`${did}/governance/issuers.json`)).headers.location).toBe(
      `https://localhost:8080/dids/${slug}/governance/issuers.json`,
    )
    expect((await ask(`${did}/whois`)).headers.location).toBe(`https://localhost:8080/dids/${slug}/whois.vp`)
    expect((await ask(`${did}/../../secret`)).statusCode).toBeGreaterThanOrEqual(400)
  })

  test('features that are known and not offered give 501, and what is not known gives 400', async () => {
    const { did } = await withServices()
    expect((await ask(`${did}?expandRelativeUrls=true`)).statusCode).toBe(501)
    expect((await ask(`${did}?expandRelativeUrls=maybe`)).statusCode).toBe(400)
    expect((await ask(`${did}?accept=x`)).statusCode).toBe(400)
    expect((await ask('did:web:example.com')).statusCode).toBe(404)
  })
})
