import { updateDid } from '@tillit/did'
import type { ListedDids } from '@tillit/schemas'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RegistryTables } from './index.ts'
import { newDid, type OwnRegistry, ownRegistry } from './registry.fixture.ts'

let city: OwnRegistry
beforeAll(async () => {
  city = await ownRegistry()
})
afterAll(() => city.close())

async function registered(listed = true) {
  const did = await newDid()
  await city.post('/dids', { entry: did.entry, listed })
  const url = `/dids/${did.did.split(':').at(-1)}/did.jsonl`
  return { ...did, url, whole: await city.get(url) }
}

describe('did.jsonl', () => {
  test('can be asked for in parts, and the parts are the whole', async () => {
    const { url, whole } = await registered()
    expect(whole.headers).toMatchObject({ 'accept-ranges': 'bytes', 'access-control-allow-origin': '*' })
    const length = whole.rawPayload.length
    const part = (range: string, headers = {}) => city.get(url, { range, ...headers })
    for (const [range, first, last] of [
      ['bytes=0-99', 0, 99],
      ['bytes=100-', 100, length - 1],
      ['bytes=-50', length - 50, length - 1],
      [`bytes=10-${length + 10}`, 10, length - 1],
    ] as const) {
      const reply = await part(range)
      expect(reply.statusCode).toBe(206)
      expect(reply.headers['content-range']).toBe(`bytes ${first}-${last}/${length}`)
      expect(reply.rawPayload).toEqual(whole.rawPayload.subarray(first, last + 1))
    }
    for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=9-1', 'bytes=-'])
      expect([range, (await part(range)).statusCode]).toEqual([range, 200])
    const beyond = await part(`bytes=${length}-`)
    expect([beyond.statusCode, beyond.headers['content-range']]).toEqual([416, `bytes */${length}`])
  })

  test('a part is given only of the file that the client has the rest of', async () => {
    const { did, url, whole, state, signer } = await registered()
    const etag = String(whole.headers.etag)
    expect((await city.get(url, { range: 'bytes=5-', 'if-range': etag })).statusCode).toBe(206)
    await city.post(`/dids/${did}/entries`, await updateDid(state, { signer, now: new Date(Date.now() - 30_000) }))
    const after = await city.get(url, { range: `bytes=${whole.rawPayload.length}-`, 'if-range': etag })
    expect(after.statusCode).toBe(200)
    expect(after.body.startsWith(whole.body)).toBe(true)
    expect((await city.get(url, { 'if-none-match': etag })).statusCode).toBe(200)
    expect((await city.get(url, { 'if-none-match': `"x", W/${after.headers.etag}` })).statusCode).toBe(304)
  })

  test('one that the client has is told from its newest version, without reading the others', async () => {
    const { did, url, state, signer } = await registered()
    await city.post(`/dids/${did}/entries`, await updateDid(state, { signer, now: new Date(Date.now() - 30_000) }))
    const etag = String((await city.get(url)).headers.etag)
    const registry = city.database.connect<RegistryTables>('registry')
    await registry.deleteFrom('registry.did_entries').where('did', '=', did).where('version_number', '=', 1).execute()
    expect((await city.get(url)).statusCode).toBe(404)
    const reply = await city.get(url, { 'if-none-match': etag })
    expect([reply.statusCode, reply.headers.etag]).toEqual([304, etag])
  })

  test('HEAD tells its length and entity tag', async () => {
    const { url, whole } = await registered()
    const reply = await city.app.inject({ method: 'HEAD', url })
    expect(reply.body).toBe('')
    expect(reply.headers).toMatchObject({
      etag: whole.headers.etag,
      'content-length': String(whole.rawPayload.length),
    })
  })
})

test('listed DIDs can be paged through, each once, and unlisted ones are never among them', async () => {
  const listed = await Promise.all(Array.from({ length: 7 }, () => registered()))
  const unlisted = await registered(false)
  const seen: string[] = []
  let url: string | null = '/dids?limit=3'
  while (url !== null) {
    const reply = await city.get(url)
    seen.push(...reply.json<ListedDids>().dids.map(({ did }) => did))
    const link: string | undefined = reply.headers.link?.toString()
    url = link === undefined ? null : (/^<([^>]+)>; rel="next"$/.exec(link)?.[1] ?? null)
  }
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen).toEqual(expect.arrayContaining(listed.map(({ did }) => did)))
  expect(seen).not.toContain(unlisted.did)
  expect(seen).toEqual([...seen].sort())
})

test('a portable DID may move to another host: that is its last entry here, and its old name leads to the new one', async () => {
  const created = await newDid({ portable: true })
  const { did, entry, state, signer } = created
  await city.post('/dids', { entry, listed: true })
  const moveTo = (id: string) =>
    updateDid(state, {
      signer,
      now: new Date(Date.now() - 30_000),
      document: () => ({
        ...JSON.parse(JSON.stringify(state.document).replaceAll(did, id)),
        alsoKnownAs: [did],
      }),
    })
  const within = await moveTo(did.replace(/[^:]+$/, 'elsewhere'))
  expect((await city.post(`/dids/${did}/entries`, within)).json()).toMatchObject({ code: 'invalid-did-log' })
  const away = did.replace('localhost%3A8080', 'other.example')
  const move = await moveTo(away)
  expect((await city.post(`/dids/${did}/entries`, move)).statusCode).toBe(201)
  const reply = await city.get(`/1.0/identifiers/${did}`)
  expect(reply.json()).toMatchObject({ didDocument: { id: away }, didDocumentMetadata: { canonicalId: away } })
  const further = { ...move, versionId: `3-${move.versionId.slice(2)}` }
  expect((await city.post(`/dids/${did}/entries`, further)).json()).toMatchObject({ code: 'did-conflict' })
})
