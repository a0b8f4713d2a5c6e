import { type TestDatabase, testDatabase } from '@tillit/database'
import {
  createDid,
  didKeyFor,
  formatDidLog,
  formatDidWitnessFile,
  nextDidState,
  updateDid,
  witnessEntry,
} from '@tillit/did'
import type { DidLogEntry } from '@tillit/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDid, newSigner, testRegistry } from './registry.fixture.ts'

/** What the foreign host serves, by URL. */
const files = new Map<string, string>()
let asked = 0
let clock = Date.now()
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
const later = () => {
  clock += 60_000
}

let count = 0
async function foreignDid() {
  const signer = await newSigner()
  const name = `d${++count}`
  const created = await createDid({ host: 'other.example', path: [name], signer, now: ago(60) })
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
    later()
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
  await notify(did)
  const before = asked
  for (let i = 0; i < 5; i++) expect((await notify(did)).statusCode).toBe(202)
  expect(asked).toBe(before)
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
