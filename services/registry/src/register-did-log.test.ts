import {
  createDid,
  type DidState,
  didKeyFor,
  formatDidLog,
  moveDid,
  nextDidState,
  updateDid,
  witnessEntry,
} from '@tillit/did'
import type { Signer } from '@tillit/keys'
import type { DidLogEntry } from '@tillit/schemas'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RegistryTables } from './index.ts'
import { newDid, newSigner, type OwnRegistry, ownRegistry } from './registry.fixture.ts'

let city: OwnRegistry
beforeAll(async () => {
  city = await ownRegistry()
})
afterAll(() => city.close())

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000)
const here = 'localhost:8080'
const slugOf = (did: string) => did.split(':').at(-1)
const register = (log: readonly object[], more: object = {}) => city.post('/dids/log', { log, listed: true, ...more })
const stateAfter = (state: DidState, entry: DidLogEntry) => nextDidState({ state, entry, now: new Date() })

let count = 0
/** A DID made at another host, which then moves to a place here. */
async function movingDid({ witnesses = [], threshold = 1 }: { witnesses?: Signer[]; threshold?: number } = {}) {
  const signer = await newSigner()
  const created = await createDid({
    host: 'other.example',
    path: ['people', 'me'],
    signer,
    portable: true,
    now: ago(60),
    ...(witnesses.length === 0
      ? {}
      : { witness: { threshold, witnesses: witnesses.map(({ publicKey }) => ({ id: didKeyFor(publicKey) })) } }),
  })
  const slug = `moved-${++count}`
  const moved = await moveDid(created.state, { host: here, path: ['dids', slug], signer, now: ago(30) })
  const state = stateAfter(created.state, moved)
  return { signer, first: created.did, did: state.did, slug, log: [created.entry, moved], state }
}

async function leavesOf(did: string): Promise<number> {
  const db = city.database.connect<RegistryTables>('registry')
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM registry.did_entries JOIN registry.outbox USING (commitment) WHERE did = ${did}`.execute(
    db,
  )
  return rows[0]?.count ?? 0
}

test('a portable DID moves here with its history, and every entry is one of our log', async () => {
  const { did, first, log, slug, signer, state } = await movingDid()
  const answer = await register(log)
  expect(answer.statusCode).toBe(201)
  expect(answer.json()).toMatchObject({
    accepted: log.map(({ versionId }) => ({ did, versionId, listed: true, deactivated: false })),
    witnessing: { did, published_version_id: log[1]?.versionId, waiting_versions: 0 },
  })
  expect(await leavesOf(did)).toBe(2)
  expect((await city.get(`/dids/${slug}/did.jsonl`)).body).toBe(formatDidLog(log))
  expect((await city.registry.resolveDid(did)).didDocument).toMatchObject({ id: did, alsoKnownAs: [first] })
  const before = await city.registry.resolveDid(did, { versionNumber: 1 })
  expect(before).toMatchObject({ didDocument: { id: first }, didDocumentMetadata: { canonicalId: first } })

  const next = await updateDid(state, { signer, now: ago(10), ttlSeconds: 60 })
  expect((await city.post(`/dids/${did}/entries`, next)).statusCode).toBe(201)
  expect((await city.registry.resolveDid(did)).didDocumentMetadata.versionId).toBe(next.versionId)
})

test('the same log again gives the first answer, also after more entries', async () => {
  const { did, log, signer, state } = await movingDid()
  const answers = await Promise.all([register(log), register(log), register(log)])
  expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 201])
  for (const answer of answers) expect(answer.json()).toEqual(answers[0]?.json())
  const next = await updateDid(state, { signer, now: ago(10), ttlSeconds: 60 })
  await city.post(`/dids/${did}/entries`, next)
  expect((await register(log)).json()).toEqual(answers[0]?.json())
  expect(await leavesOf(did)).toBe(3)
  expect((await register([...log, next])).statusCode).toBe(200)
})

test('another log of the same DID, a place that is taken, and another listing are conflicts', async () => {
  const { did, log, signer, state } = await movingDid()
  await register(log)
  const other = await updateDid(state, { signer, now: ago(5), ttlSeconds: 1 })
  expect((await register([...log, other])).json()).toMatchObject({
    code: 'did-conflict',
    version_id: log[1]?.versionId,
  })
  expect((await register(log, { listed: false })).json()).toMatchObject({ code: 'did-conflict' })
  const taken = await movingDid()
  const [genesis] = taken.log
  const toTaken = await moveDid(nextDidState({ state: null, entry: genesis as DidLogEntry, now: new Date() }), {
    host: here,
    path: ['dids', slugOf(did) ?? ''],
    signer: taken.signer,
    now: ago(20),
  })
  expect((await register([genesis as DidLogEntry, toTaken])).json()).toMatchObject({ code: 'did-conflict' })
})

test('a DID that lives elsewhere in its last entry, or lived here under another name, is refused', async () => {
  const { log } = await movingDid()
  expect((await register(log.slice(0, 1))).json()).toMatchObject({ code: 'invalid-did' })
  const { entry, state, signer } = await newDid({ portable: true })
  const away = await moveDid(state, { host: 'other.example', path: [], signer, now: ago(20) })
  const back = await moveDid(stateAfter(state, away), { host: here, path: ['dids', 'x'], signer, now: ago(10) })
  expect((await register([entry, away, back])).json()).toMatchObject({ code: 'did-conflict' })
})

test('a DID that left and would come back is told so, whichever way it asks', async () => {
  const { did, log, slug, signer, state } = await movingDid()
  await register(log)
  const away = await moveDid(state, { host: 'other.example', path: ['people', 'me'], signer, now: ago(20) })
  expect((await city.post(`/dids/${did}/entries`, away)).statusCode).toBe(201)
  const back = await moveDid(stateAfter(state, away), { host: here, path: ['dids', slug], signer, now: ago(10) })
  const refusal = { code: 'did-conflict', detail: expect.stringContaining('has left this registry') }
  expect((await register([...log, away, back])).json()).toMatchObject(refusal)
  expect((await city.post(`/dids/${did}/entries`, back)).json()).toMatchObject(refusal)
  // What was accepted before stays accepted.
  expect((await register([...log])).statusCode).toBe(200)
})

test('a log that does not verify is refused whole', async () => {
  const { did, log } = await movingDid()
  const [genesis, moved] = log as [DidLogEntry, DidLogEntry]
  const forged = { ...moved, versionTime: ago(29).toISOString() }
  expect((await register([genesis, forged])).json()).toMatchObject({ code: 'invalid-did-log' })
  expect((await register([moved])).statusCode).toBe(400)
  expect((await register([])).json()).toMatchObject({ code: 'invalid-request' })
  expect((await register(Array(201).fill(genesis))).json()).toMatchObject({ code: 'invalid-request' })
  expect((await city.registry.resolveDid(did)).didDocument).toBeNull()
})

test('the proofs of its witnesses come with it, and what they have not approved waits', async () => {
  const witness = await newSigner()
  const { did, log, slug } = await movingDid({ witnesses: [witness] })
  const proofs = await Promise.all(log.map(({ versionId }) => witnessEntry(versionId, witness, new Date())))
  const answer = await register(log, { witness_proofs: proofs.slice(0, 1) })
  expect(answer.json()).toMatchObject({
    witnessing: { did, published_version_id: log[0]?.versionId, waiting_versions: 1 },
  })
  expect((await city.get(`/dids/${slug}/did.jsonl`)).body).toBe(formatDidLog(log.slice(0, 1)))
  const rest = await city.post(`/dids/${did}/witness-proofs`, proofs.slice(1))
  expect(rest.json()).toMatchObject({ published_version_id: log[1]?.versionId, waiting_versions: 0 })
  expect((await city.registry.resolveDid(did)).didDocument?.id).toBe(did)

  const whole = await movingDid({ witnesses: [witness] })
  const [, last] = whole.log
  const both = await witnessEntry(last?.versionId ?? '', witness, new Date())
  expect((await register(whole.log, { witness_proofs: [both] })).json()).toMatchObject({
    witnessing: { waiting_versions: 0 },
  })
  const stranger = await witnessEntry(last?.versionId ?? '', await newSigner(), new Date())
  const other = await movingDid({ witnesses: [witness] })
  expect((await register(other.log, { witness_proofs: [stranger] })).json()).toMatchObject({ code: 'invalid-did-log' })
})

test('a DID that was erased does not come back', async () => {
  const { did, log } = await movingDid()
  await register(log, { listed: false })
  const headers = await city.issuer.headers({ kind: 'organisation', id: did }, 'DELETE', `/dids/${did}`)
  const erased = await city.app.inject({ method: 'DELETE', url: `/dids/${did}`, headers: { ...headers } })
  expect(erased.statusCode).toBe(204)
  expect((await register(log, { listed: false })).json()).toMatchObject({ code: 'did-erased' })
})
