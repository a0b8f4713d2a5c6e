import { type TestDatabase, testDatabase } from '@tillit/database'
import {
  createDid,
  deactivateDid,
  didKeyFor,
  formatDidLog,
  formatDidWitnessFile,
  moveDid,
  nextDidState,
  signWatcherRequest,
  updateDid,
  witnessEntry,
} from '@tillit/did'
import type { DidLogEntry } from '@tillit/schemas'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RegistryTables } from './index.ts'
import { newDid, newSigner, recordingLogger, testRegistry } from './registry.fixture.ts'

/** What the foreign host serves, by URL. */
const files = new Map<string, string>()
const resources = new Map<string, { bytes: Uint8Array; contentType: string | null }>()
let asked = 0
let clock = Date.now()
const { lines, logger } = recordingLogger()
let database: TestDatabase
let city: Awaited<ReturnType<typeof testRegistry>>
beforeAll(async () => {
  database = await testDatabase()
  city = await testRegistry(database, {
    now: () => new Date(clock),
    fetchText: async (url) => {
      asked++
      return files.get(url.href) ?? null
    },
    fetchBytes: async (url) => resources.get(url.href) ?? null,
    logger,
  })
})
afterAll(async () => {
  await city.app.close()
  await database.drop()
})

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000)
const scidOf = (did: string) => did.split(':')[2] ?? ''
const log = (did: string) => city.get(`/watcher/log?scid=${scidOf(did)}`)
const notify = (did: string) => city.app.inject({ method: 'POST', url: `/watcher/log?did=${encodeURIComponent(did)}` })
const later = (seconds = 60) => {
  clock += seconds * 1000
}
/** Longer than a failure is remembered. */
const muchLater = () => later(200)

let count = 0
async function foreignDid(options: { ttlSeconds?: number; portable?: boolean } = {}) {
  const signer = await newSigner()
  const name = `d${++count}`
  const created = await createDid({ host: 'other.example', path: [name], signer, now: ago(60), ...options })
  const url = `https://other.example/${name}/did.jsonl`
  const serve = (...entries: DidLogEntry[]) => files.set(url, formatDidLog(entries))
  return { ...created, signer, url, serve }
}

test('a listed DID that lives here is served by its SCID, an unlisted one is not', async () => {
  const [listed, unlisted] = [await newDid(), await newDid()]
  await city.post('/dids', { entry: listed.entry, listed: true })
  await city.post('/dids', { entry: unlisted.entry, listed: false })
  expect((await log(listed.did)).body).toBe(formatDidLog([listed.entry]))
  expect((await notify(listed.did)).statusCode).toBe(202)
  expect((await log(unlisted.did)).statusCode).toBe(404)
})

test('a foreign DID that somebody wants watched is served as it was verified, and followed', async () => {
  const { did, entry, state, signer, serve } = await foreignDid()
  serve(entry)
  expect((await log(did)).statusCode).toBe(404)
  expect((await notify(did)).statusCode).toBe(202)
  expect((await log(did)).body).toBe(formatDidLog([entry]))
  const second = await updateDid(state, { signer, now: ago(30) })
  serve(entry, second)
  later()
  expect((await notify(did)).statusCode).toBe(202)
  expect((await log(did)).body).toBe(formatDidLog([entry, second]))
})

test('a history that is rewritten, shortened or taken away is told, and the one that was seen first stays', async () => {
  const { did, entry, state, signer, url, serve } = await foreignDid()
  const [first, other] = [
    await updateDid(state, { signer, now: ago(40) }),
    await updateDid(state, { signer, now: ago(30) }),
  ]
  serve(entry, first)
  await notify(did)
  for (const rewrite of [() => serve(entry, other), () => serve(entry), () => files.delete(url)]) {
    rewrite()
    muchLater()
    expect((await notify(did)).json()).toMatchObject({ code: 'did-history-changed', status: 422 })
    expect((await log(did)).body).toBe(formatDidLog([entry, first]))
  }
})

test('what does not verify is not kept, and a host is not asked again and again', async () => {
  const { did, entry, serve } = await foreignDid()
  serve({ ...entry, versionTime: ago(1).toISOString() })
  expect((await notify(did)).json()).toMatchObject({ code: 'invalid-did-log' })
  expect((await log(did)).statusCode).toBe(404)
  serve(entry)
  const failed = asked
  for (let i = 0; i < 5; i++) expect((await notify(did)).json()).toMatchObject({ code: 'invalid-did-log' })
  expect(asked).toBe(failed)
  muchLater()
  await notify(did)
  const before = asked
  for (let i = 0; i < 5; i++) expect((await notify(did)).statusCode).toBe(202)
  expect(asked).toBe(before)
})

test('when what is kept takes all the room there is, no more DIDs are watched, and those that are stay', async () => {
  const { did, entry, state, signer, serve } = await foreignDid()
  serve(entry)
  expect((await notify(did)).statusCode).toBe(202)
  const registry = database.connect<RegistryTables>('registry')
  const filler = registry.updateTable('registry.watched_dids').where('scid', '=', scidOf(did))
  const large = sql<string>`repeat('x', 64 * 1024 * 1024)`
  await filler.set({ other_log: large }).execute()
  const more = await foreignDid()
  more.serve(more.entry)
  expect((await notify(more.did)).json()).toMatchObject({ code: 'too-many-requests', status: 429 })
  expect((await log(more.did)).statusCode).toBe(404)
  serve(entry, await updateDid(state, { signer, now: ago(30) }))
  muchLater()
  expect((await notify(did)).json()).toMatchObject({ code: 'too-many-requests' })
  expect((await log(did)).body).toBe(formatDidLog([entry]))
  await filler.set({ other_log: null }).execute()
  muchLater()
  expect((await notify(more.did)).statusCode).toBe(202)
})

test('of another history only the words are kept when evidence takes all the room there is', async () => {
  const [watched, full] = [await foreignDid(), await foreignDid()]
  for (const { did, entry, serve } of [watched, full]) {
    serve(entry)
    expect((await notify(did)).statusCode).toBe(202)
  }
  const registry = database.connect<RegistryTables>('registry')
  const row = (did: string) => registry.updateTable('registry.watched_dids').where('scid', '=', scidOf(did))
  const { did, entry, state, signer, serve } = watched
  serve(entry, await updateDid(state, { signer, now: ago(40) }))
  later()
  await notify(did)
  await row(full.did).set({ other_log: sql<string>`repeat('x', 128 * 1024 * 1024)` }).execute()
  serve(entry, await updateDid(state, { signer, now: ago(30) }))
  muchLater()
  expect((await notify(did)).json()).toMatchObject({ code: 'did-history-changed' })
  const kept = registry.selectFrom('registry.watched_dids').select(['fault', 'other_log as otherLog'])
  expect(await kept.where('scid', '=', scidOf(did)).executeTakeFirst()).toMatchObject({
    fault: expect.stringContaining('another history'),
    otherLog: null,
  })
  await row(full.did).set({ other_log: null }).execute()
})

test('the witness file is kept with the log', async () => {
  const witness = await newSigner()
  const signer = await newSigner()
  const { did, entry } = await createDid({
    host: 'other.example',
    path: ['witnessed'],
    signer,
    witness: { threshold: 1, witnesses: [{ id: didKeyFor(witness.publicKey) }] },
    now: ago(60),
  })
  files.set('https://other.example/witnessed/did.jsonl', formatDidLog([entry]))
  expect((await notify(did)).statusCode).toBeGreaterThanOrEqual(400)
  const proofs = formatDidWitnessFile([await witnessEntry(entry.versionId, witness, new Date())])
  files.set('https://other.example/witnessed/did-witness.json', proofs)
  muchLater()
  expect((await notify(did)).statusCode).toBe(202)
  expect((await city.get(`/watcher/witness?scid=${scidOf(did)}`)).body).toBe(proofs)
  expect((await log(did)).statusCode).toBe(200)
})

test.each(['', '?scid=', '?scid=Qm', '?scid=../../etc'])('a SCID that is none (%s) is refused', async (query) => {
  expect((await city.get(`/watcher/log${query}`)).statusCode).toBe(400)
  expect((await city.get(`/watcher/witness${query}`)).statusCode).toBe(400)
})

test('what is no did:webvh is not watched', async () => {
  expect((await notify('did:web:other.example')).statusCode).toBe(400)
  expect((await notify('nonsense')).statusCode).toBe(400)
})

test('a foreign DID resolves from its host once, and anew when a signature failed', async () => {
  const { did, entry, state, signer, serve } = await foreignDid()
  serve(entry)
  const before = asked
  for (let i = 0; i < 3; i++) expect((await city.registry.resolveDid(did)).didDocument?.id).toBe(did)
  expect(asked).toBe(before + 1)
  const second = await updateDid(state, { signer, now: ago(20) })
  nextDidState({ state, entry: second, now: new Date() })
  serve(entry, second)
  clock += 15_000
  const fresh = await city.registry.resolveDid(did, { fresh: true })
  expect(fresh.didDocumentMetadata.versionId).toBe(second.versionId)
})

describe('a watched DID', () => {
  const state = async (did: string) => (await city.get(`/watcher/state?scid=${scidOf(did)}`)).json()

  test('is asked for again at its own time to live, without being told', async () => {
    const { did, entry, state: first, signer, serve } = await foreignDid({ ttlSeconds: 600 })
    serve(entry)
    await notify(did)
    const second = await updateDid(first, { signer, now: ago(20) })
    serve(entry, second)
    later(599)
    await city.registry.checkWatched()
    expect((await log(did)).body).toBe(formatDidLog([entry]))
    later(2)
    await city.registry.checkWatched()
    expect((await log(did)).body).toBe(formatDidLog([entry, second]))
    expect(await state(did)).toMatchObject({ did, version_id: second.versionId, fault: null, other_log: null })
  })

  test('whose history is rewritten is found out, told of and kept as evidence', async () => {
    const { did, entry, state: first, signer, serve } = await foreignDid({ ttlSeconds: 60 })
    const [one, two] = [
      await updateDid(first, { signer, now: ago(40) }),
      await updateDid(first, { signer, now: ago(30) }),
    ]
    serve(entry, one)
    await notify(did)
    serve(entry, two)
    later(100)
    await city.registry.checkWatched()
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    expect(await state(did)).toMatchObject({
      version_id: one.versionId,
      fault: 'The host shows another history of the DID',
      other_log: formatDidLog([entry, two]),
    })
    serve(entry, one)
    muchLater()
    expect((await notify(did)).statusCode).toBe(202)
    expect(await state(did)).toMatchObject({ fault: null, other_log: formatDidLog([entry, two]) })
    const request = await signWatcherRequest({ scid: scidOf(did), domain, signer, now: new Date(clock) })
    expect((await city.post(`/watcher/log/delete?scid=${scidOf(did)}`, request)).json()).toMatchObject({
      code: 'conflict',
    })
  })

  test('that moved is not blamed for the part of its history at its old place', async () => {
    const { did, entry, state: first, signer, serve } = await foreignDid({ portable: true })
    const moved = await moveDid(first, { host: 'new.example', path: [], signer, now: ago(20) })
    const newDid = nextDidState({ state: first, entry: moved, now: new Date() }).did
    files.set('https://new.example/.well-known/did.jsonl', formatDidLog([entry, moved]))
    serve(entry)
    await notify(did)
    later()
    expect((await notify(newDid)).statusCode).toBe(202)
    muchLater()
    expect((await notify(did)).json()).toMatchObject({ code: 'did-not-found' })
    expect(await state(did)).toMatchObject({ did: newDid, version_id: moved.versionId, fault: null })
  })

  test('whose host cannot be asked is not asked for again and again', async () => {
    const { did, entry, url, serve } = await foreignDid({ ttlSeconds: 60 })
    serve(entry)
    await notify(did)
    files.set(url, 'no log')
    later(100)
    await city.registry.checkWatched()
    const before = asked
    await city.registry.checkWatched()
    expect(asked).toBe(before)
    expect((await log(did)).body).toBe(formatDidLog([entry]))
  })
})

const domain = 'http://localhost:8080/watcher'

describe('a controller', () => {
  const remove = (did: string, request: object) => city.post(`/watcher/log/delete?scid=${scidOf(did)}`, request)

  async function watchedDid() {
    const foreign = await foreignDid()
    foreign.serve(foreign.entry)
    expect((await notify(foreign.did)).statusCode).toBe(202)
    const sign = (changes: Partial<Parameters<typeof signWatcherRequest>[0]> = {}) =>
      signWatcherRequest({
        scid: scidOf(foreign.did),
        domain,
        signer: foreign.signer,
        now: new Date(clock),
        ...changes,
      })
    return { ...foreign, sign }
  }

  test('has the copy of its DID deleted', async () => {
    const { did, sign } = await watchedDid()
    expect((await remove(did, await sign())).statusCode).toBe(202)
    expect((await log(did)).statusCode).toBe(404)
    expect((await remove(did, await sign())).json()).toMatchObject({ code: 'did-not-found' })
  })

  test('whose DID was deactivated may still do so', async () => {
    const { did, entry, state: first, signer, serve, sign } = await watchedDid()
    serve(entry, await deactivateDid(first, { signer, now: ago(10) }))
    later()
    await notify(did)
    expect((await remove(did, await sign())).statusCode).toBe(202)
  })

  test('is nobody without an update key, a fresh proof, and the right words in it', async () => {
    const { did, sign } = await watchedDid()
    const proof = (await sign()).proof
    const stranger = await sign({ signer: await newSigner() })
    const bad: [object, string][] = [
      [stranger, 'role-required'],
      [{ ...(await sign()), proof: { ...proof, proofValue: stranger.proof.proofValue } }, 'invalid-proof'],
      [{ ...(await sign()), proof: { ...proof, proofValue: 'u' } }, 'invalid-proof'],
      [{ ...(await sign()), holder: did }, 'invalid-proof'],
      [await sign({ scid: scidOf((await foreignDid()).did) }), 'invalid-proof'],
      [await sign({ domain: 'https://watcher.example' }), 'invalid-proof'],
      [await sign({ domain: 'http://localhost:8080/elsewhere' }), 'invalid-proof'],
      [await sign({ now: new Date(clock - 301_000) }), 'invalid-proof'],
      [await sign({ now: new Date(clock + 301_000) }), 'invalid-proof'],
      [{ ...(await sign()), proof: { ...proof, created: undefined } }, 'invalid-proof'],
      [{ ...(await sign()), proof: { ...proof, proofPurpose: 'assertionMethod' } }, 'invalid-proof'],
      [{ ...(await sign()), proof: { ...proof, expires: '2100-01-01T00:00:00Z' } }, 'invalid-proof'],
      [{ ...(await sign()), proof: { ...proof, '@context': ['https://other.example'] } }, 'invalid-proof'],
      [{ ...(await sign()), proof: [proof] }, 'invalid-request'],
      [{ proof }, 'invalid-request'],
      [{ ...(await sign()), verifiableCredential: [] }, 'unknown-field'],
    ]
    for (const [request, code] of bad) expect((await remove(did, request)).json(), code).toMatchObject({ code })
    expect((await log(did)).statusCode).toBe(200)
  })

  test('cannot delete the log of a DID that lives here', async () => {
    const { did, entry, signer } = await newDid()
    await city.post('/dids', { entry, listed: true })
    const request = await signWatcherRequest({ scid: scidOf(did), domain, signer, now: new Date(clock) })
    expect((await remove(did, request)).json()).toMatchObject({ code: 'conflict' })
    expect((await log(did)).statusCode).toBe(200)
  })

  describe('has resources kept', () => {
    const read = (did: string, path: string, headers = {}) =>
      city.get(`/watcher/resource?scid=${scidOf(did)}&path=${encodeURIComponent(path)}`, headers)
    const tell = (did: string, path: string, request: object, verb = '') =>
      city.post(`/watcher/resource${verb}?scid=${scidOf(did)}&path=${encodeURIComponent(path)}`, request)

    test('as bytes that no browser shows', async () => {
      const { did, sign, url } = await watchedDid()
      const bytes = Buffer.from([0x3c, 0xff, 0x00])
      resources.set(url.replace('did.jsonl', 'files/logo.svg'), {
        bytes,
        contentType: 'Image/SVG+xml; charset=utf-8',
      })
      expect((await read(did, 'files/logo.svg')).statusCode).toBe(404)
      expect((await tell(did, '/files/logo.svg', await sign())).statusCode).toBe(202)
      const answer = await read(did, 'files/logo.svg')
      expect(answer.rawPayload).toEqual(bytes)
      expect(answer.headers).toMatchObject({
        'content-type': 'image/svg+xml',
        'content-disposition': 'attachment',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
      })
      const etag = String(answer.headers.etag)
      expect((await read(did, '/files/logo.svg', { 'if-none-match': etag })).statusCode).toBe(304)
      expect((await tell(did, 'files/logo.svg', await sign(), '/delete')).statusCode).toBe(202)
      expect((await read(did, 'files/logo.svg')).statusCode).toBe(404)
      expect((await tell(did, 'files/logo.svg', await sign(), '/delete')).statusCode).toBe(404)
    })

    test('also when their host takes them away, but not when the log is deleted', async () => {
      const { did, sign, url } = await watchedDid()
      const place = url.replace('did.jsonl', 'a')
      resources.set(place, { bytes: Buffer.from('a'), contentType: '<script>' })
      await tell(did, 'a', await sign())
      resources.delete(place)
      expect((await tell(did, 'a', await sign())).statusCode).toBe(404)
      expect((await read(did, 'a')).headers['content-type']).toBe('application/octet-stream')
      await remove(did, await sign())
      expect((await read(did, 'a')).statusCode).toBe(404)
    })

    test('of its own DID only, with a proof, and not too many', async () => {
      const { did, sign, url } = await watchedDid()
      for (let index = 0; index < 33; index++)
        resources.set(url.replace('did.jsonl', `r${index}`), { bytes: Buffer.from('x'), contentType: null })
      const stranger = await sign({ signer: await newSigner() })
      expect((await tell(did, 'r0', stranger)).json()).toMatchObject({ code: 'role-required' })
      expect((await tell(did, 'r0', {})).statusCode).toBe(400)
      for (let index = 0; index < 32; index++) expect((await tell(did, `r${index}`, await sign())).statusCode).toBe(202)
      expect((await tell(did, 'r32', await sign())).json()).toMatchObject({ code: 'storage-full' })
      expect((await tell(did, 'r0', await sign())).statusCode).toBe(202)
    })

    test.each(['..', 'a/../b', '%2e%2e/a', 'a//b', '/', 'a\\b', '//other.example/a', 'a?b', 'https:/a', '.hidden'])(
      'but not at the path %s',
      async (path) => {
        const { did, sign } = await watchedDid()
        expect((await tell(did, path, await sign())).json()).toMatchObject({ code: 'invalid-request' })
        expect((await read(did, path)).json()).toMatchObject({ code: 'invalid-request' })
      },
    )
  })
})
