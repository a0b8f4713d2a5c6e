import { canonicalJson, fromBase64url, toHex } from '@tillit/codec'
import {
  createDid,
  deactivateDid,
  didKeyFor,
  nextDidState,
  parseDidLog,
  rotateDid,
  updateDid,
  verifyDidLog,
} from '@tillit/did'
import { commit } from '@tillit/log'
import type { DidAccepted } from '@tillit/schemas'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newDid, newSigner, type OwnRegistry, ownRegistry, testRegistry } from './registry.fixture.ts'

let city: OwnRegistry
beforeAll(async () => {
  city = await ownRegistry()
})
afterAll(() => city.close())

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000)
const entriesOf = (did: string) => `/dids/${did}/entries`
const identifier = (did: string, query = '') => `/1.0/identifiers/${did}${query}`

async function registered(listed = true) {
  const did = await newDid()
  const reply = await city.post('/dids', { entry: did.entry, listed })
  expect(reply.statusCode).toBe(201)
  return { ...did, accepted: reply.json<DidAccepted>() }
}

describe('registering', () => {
  test('a self-issued DID is accepted, and its opening commits to the very entry', async () => {
    const { did, entry, accepted } = await registered()
    expect(accepted).toMatchObject({ did, versionId: entry.versionId, listed: true, deactivated: false })
    expect(toHex(commit(fromBase64url(accepted.opening.salt), entry))).toBe(accepted.opening.commitment)
  })

  test('the very same entry again gives the very same answer', async () => {
    const { entry, accepted } = await registered()
    const again = await city.post('/dids', { entry, listed: true })
    expect(again.statusCode).toBe(200)
    expect(again.json()).toEqual(accepted)
  })

  test('the salt of an unlisted DID is not handed out again once retries are over', async () => {
    const { entry } = await registered(false)
    const later = await testRegistry(city.database, { now: () => new Date(Date.now() + 3_600_000) })
    const again = await later.post('/dids', { entry, listed: false })
    expect(again.json()).toMatchObject({ code: 'did-conflict', status: 409 })
    await later.app.close()
  })

  test('a document may hold any JSON string, also those that databases like to choke on', async () => {
    const signer = await newSigner()
    const strange = 'nul \u0000, quotes " and \u{1F3D9}'
    const services = (id: string) => [{ id: `${id}#s`, type: strange, serviceEndpoint: 'https://a.example' }]
    const now = ago(60)
    const { did, entry } = await createDid({ host: 'localhost:8080', path: ['dids', 'strange'], signer, services, now })
    expect((await city.post('/dids', { entry, listed: true })).statusCode).toBe(201)
    expect((await city.get(identifier(did))).json()).toMatchObject({ didDocument: { service: [{ type: strange }] } })
  })

  test('an entry is nested only so deep that the list that opens it can still be read by whoever audits the log', async () => {
    const nested = (levels: number) => JSON.parse('[]'.padStart(levels + 1, '[').padEnd(2 * levels, ']')) as object
    const withDepth = (levels: number) =>
      newDid({
        services: (id) => [{ id: `${id}#s`, type: 'S', serviceEndpoint: 'https://a.example', nested: nested(levels) }],
      })
    // The entry, its state, the list of services and the service stand around it.
    const deepest = await withDepth(44)
    expect((await city.post('/dids', { entry: deepest.entry, listed: true })).statusCode).toBe(201)
    const deeper = await withDepth(45)
    const refused = await city.post('/dids', { entry: deeper.entry, listed: true })
    expect(refused.json()).toMatchObject({ code: 'invalid-did-log', status: 400 })
  })

  test('an entry is as long as its bytes, however few characters they make', async () => {
    const { entry } = await newDid({
      services: (id) => [{ id: `${id}#s`, type: '\u2603'.repeat(30_000), serviceEndpoint: 'https://a.example' }],
    })
    const { results } = (await city.post('/dids/batch', { registrations: [{ entry, listed: true }] })).json()
    expect(results).toMatchObject([{ status: 413, problem: { code: 'body-too-large' } }])
  })

  test('twenty at once of the same entry store one', async () => {
    const { entry } = await newDid()
    const replies = await Promise.all(Array.from({ length: 20 }, () => city.post('/dids', { entry, listed: true })))
    expect(replies.filter(({ statusCode }) => statusCode === 201).length).toBe(1)
    expect(new Set(replies.map(({ body }) => body)).size).toBe(1)
  })

  test.each([
    ['of another host', { host: 'other.example' }],
    ['at another folder', { path: ['elsewhere', 'name'] }],
    ['at the root', { path: [] }],
    ['with a strange name', { path: ['dids', 'a b'.replace(' ', '~')] }],
  ])('a DID %s is refused', async (_where, options) => {
    const { entry } = await newDid(options)
    const reply = await city.post('/dids', { entry, listed: true })
    expect(reply.json()).toMatchObject({ code: 'invalid-did', status: 400 })
  })

  test('a place that is taken is refused', async () => {
    const { did } = await registered()
    const { entry } = await newDid({ path: ['dids', did.split(':').at(-1) ?? ''] })
    expect((await city.post('/dids', { entry, listed: true })).json()).toMatchObject({ code: 'did-conflict' })
  })

  test('a changed entry and an unknown member are refused and store nothing', async () => {
    const { did, entry } = await newDid()
    const changed = { ...entry, versionTime: ago(30).toISOString() }
    expect((await city.post('/dids', { entry: changed, listed: true })).json()).toMatchObject({
      code: 'invalid-did-log',
    })
    const extra = await city.post('/dids', { entry, listed: true, owner: 'me' })
    expect(extra.json()).toMatchObject({ code: 'unknown-field', pointer: '/owner' })
    expect((await city.get(identifier(did))).statusCode).toBe(404)
  })
})

describe('the life of a DID', () => {
  test('update, pre-rotated key change and deactivation are served where did:webvh looks for them', async () => {
    const [first, second] = [await newSigner(), await newSigner()]
    const { did, entry, state: genesis, signer } = await newDid({ nextKeys: [first] })
    await city.post('/dids', { entry, listed: true })
    const services = (id: string) => [{ id: `${id}#home`, type: 'LinkedDomains', serviceEndpoint: 'https://a.example' }]
    const update = await updateDid(genesis, { signer: first, services, nextKeys: [second.publicKey], now: ago(50) })
    expect((await city.post(entriesOf(did), update)).statusCode).toBe(201)
    const updated = nextDidState({ state: genesis, entry: update, now: new Date() })
    const rotate = await rotateDid(updated, { signer: second, nextKeys: [signer.publicKey], now: ago(40) })
    expect((await city.post(entriesOf(did), rotate)).statusCode).toBe(201)
    const rotated = nextDidState({ state: updated, entry: rotate, now: new Date() })
    const end = await deactivateDid(rotated, { signer, now: ago(30) })
    const ended = await city.post(entriesOf(did), end)
    expect(ended.json()).toMatchObject({ deactivated: true, versionId: end.versionId })

    const slug = did.split(':').at(-1)
    const log = await city.get(`/dids/${slug}/did.jsonl`)
    expect(log.headers['content-type']).toContain('text/jsonl')
    const entries = parseDidLog(log.body)
    expect(entries.map(canonicalJson)).toEqual([entry, update, rotate, end].map(canonicalJson))
    expect(verifyDidLog(entries, { now: new Date() })).toMatchObject({ did, versionNumber: 4, deactivated: true })
    const etag = String(log.headers.etag)
    expect((await city.get(`/dids/${slug}/did.jsonl`, { 'if-none-match': etag })).statusCode).toBe(304)

    expect((await city.get(identifier(did))).statusCode).toBe(410)
    const older = await city.get(identifier(did, `?versionId=${update.versionId}`))
    expect(older.json()).toMatchObject({ didDocument: { id: did, service: [{ type: 'LinkedDomains' }] } })
    const atTime = await city.get(identifier(did, `?versionTime=${entry.versionTime}`))
    expect(atTime.json()).toMatchObject({ didDocumentMetadata: { versionId: entry.versionId, deactivated: true } })
    const after = await city.post(entriesOf(did), { ...end, versionId: `5-${end.versionId.slice(2)}` })
    expect(after.json()).toMatchObject({ code: 'did-deactivated', status: 410 })
  })

  test('of many entries that follow the same version one is accepted, and the others are told that it moved on', async () => {
    const { did, state, signer } = await registered()
    const rivals = await Promise.all(
      Array.from({ length: 8 }, (_, i) => updateDid(state, { signer, nextKeys: [], now: ago(50 - i) })),
    )
    const replies = await Promise.all(rivals.map((entry) => city.post(entriesOf(did), entry)))
    expect(replies.map(({ statusCode }) => statusCode).sort()).toEqual([201, ...Array(7).fill(409)])
    expect(replies.find(({ statusCode }) => statusCode === 409)?.json()).toMatchObject({ code: 'did-conflict' })
    const won = rivals[replies.findIndex(({ statusCode }) => statusCode === 201)]
    const again = await city.post(entriesOf(did), won ?? {})
    expect(again.statusCode).toBe(200)
  })

  test('an entry signed by a stranger, out of order or for an unknown DID is refused', async () => {
    const { did, state, signer } = await registered()
    const stranger = await newDid()
    const foreign = await updateDid(stranger.state, { signer: stranger.signer, now: ago(10) })
    expect((await city.post(entriesOf(did), foreign)).json()).toMatchObject({ code: 'invalid-did-log', status: 400 })
    const next = await updateDid(state, { signer, now: ago(10) })
    const skipped = { ...next, versionId: next.versionId.replace('2-', '3-') }
    expect((await city.post(entriesOf(did), skipped)).json()).toMatchObject({ code: 'invalid-did-log' })
    expect((await city.post(entriesOf(stranger.did), next)).json()).toMatchObject({ code: 'did-not-found' })
    expect((await city.get(identifier(did))).json()).toMatchObject({
      didDocumentMetadata: { versionId: state.versionId },
    })
  })
})

describe('resolving', () => {
  test('gives the result by default and the document to whoever asks for it', async () => {
    const { did } = await registered()
    const result = await city.get(identifier(did))
    expect(result.headers['content-type']).toContain('application/did-resolution')
    expect(result.json()).toMatchObject({ didDocument: { id: did }, didResolutionMetadata: {} })
    const document = await city.get(identifier(did), { accept: 'application/did+json' })
    expect(document.headers['content-type']).toContain('application/did+json')
    expect(document.json()).toMatchObject({ id: did })
    expect((await city.registry.resolveDid(did)).didDocument?.id).toBe(did)
  })

  test('a DID with a port resolves however its path is encoded', async () => {
    const { did } = await registered()
    expect(did).toContain('localhost%3A8080')
    for (const element of [did, encodeURIComponent(did), did.replace('%', '%25')]) {
      expect((await city.get(identifier(element))).json()).toMatchObject({ didDocument: { id: did } })
    }
  })

  test('did:key resolves too', async () => {
    const did = didKeyFor((await newSigner()).publicKey)
    expect((await city.get(identifier(did))).json()).toMatchObject({ didDocument: { id: did } })
  })

  test.each([
    ['did:webvh:nonsense', 400, 'INVALID_DID'],
    ['nonsense', 400, 'INVALID_DID'],
    ['did:example:123', 501, 'METHOD_NOT_SUPPORTED'],
    [`did:webvh:Qm${'a'.repeat(44)}:localhost%3A8080:dids:nobody`, 404, 'NOT_FOUND'],
  ])('%s gives %i', async (did, status, error) => {
    const reply = await city.get(identifier(did))
    expect(reply.statusCode).toBe(status)
    const type = `https://www.w3.org/ns/did#${error}`
    expect(reply.json()).toMatchObject({ didDocument: null, didResolutionMetadata: { error: { type } } })
    const document = await city.get(identifier(did), { accept: 'application/did' })
    expect(document.statusCode).toBe(status)
    expect(document.headers['content-type']).toContain('application/problem+json')
  })

  test('a representation that nobody has gives 406, and an unknown parameter 400', async () => {
    const { did } = await registered()
    expect((await city.get(identifier(did), { accept: 'image/png' })).statusCode).toBe(406)
    expect((await city.get(identifier(did, '?unknown=x'))).statusCode).toBe(400)
    expect((await city.get(identifier(did, '?versionId=9-x'))).statusCode).toBe(404)
  })
})

test('only commitments of listed DIDs can be opened by the public', async () => {
  const listed = await registered(true)
  const unlisted = await registered(false)
  const opening = await city.get(`/log/openings/${listed.accepted.opening.commitment}`)
  expect(opening.json()).toEqual({ ...listed.accepted.opening, entry: JSON.parse(JSON.stringify(listed.entry)) })
  const closed = await city.get(`/log/openings/${unlisted.accepted.opening.commitment}`)
  const unknown = await city.get(`/log/openings/${'00'.repeat(32)}`)
  expect(closed.json()).toMatchObject({ code: 'log-entry-not-found' })
  expect(closed.json()).toEqual(unknown.json())
})
