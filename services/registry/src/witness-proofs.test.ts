import { canonicalBytes, concat, sha256, toBase58 } from '@tillit/codec'
import {
  didKeyFor,
  nextDidState,
  parseDidLog,
  parseDidWitnessFile,
  resolveVersion,
  updateDid,
  witnessEntry,
} from '@tillit/did'
import type { Signer } from '@tillit/keys'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, newDid, newSigner, type OwnRegistry, ownRegistry } from './registry.fixture.ts'

let city: OwnRegistry
beforeAll(async () => {
  city = await ownRegistry()
})
afterAll(() => city.close())

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000)
const none = new Uint8Array()
const slugOf = (did: string) => did.split(':').at(-1)
const file = (did: string) => city.get(`/dids/${slugOf(did)}/did-witness.json`)
const log = (did: string) => city.get(`/dids/${slugOf(did)}/did.jsonl`)
const prove = (did: string, items: object[]) => city.post(`/dids/${did}/witness-proofs`, items)
const approve = (versionId: string, signer: Signer) => witnessEntry(versionId, signer, new Date())

async function witnessedDid(threshold: number, witnesses: Signer[], listed = true) {
  const witness = { threshold, witnesses: witnesses.map(({ publicKey }) => ({ id: didKeyFor(publicKey) })) }
  const did = await newDid({ witness })
  expect((await city.post('/dids', { entry: did.entry, listed })).statusCode).toBe(201)
  return did
}

describe('a DID that names witnesses', () => {
  test('is accepted at once and published when a threshold of them has approved it', async () => {
    const witnesses = [await newSigner(), await newSigner(), await newSigner()]
    const { did, entry } = await witnessedDid(2, witnesses)
    expect((await log(did)).statusCode).toBe(404)
    expect((await file(did)).statusCode).toBe(404)
    expect((await city.get(`/1.0/identifiers/${did}`)).statusCode).toBe(404)
    expect((await city.registry.resolveDid(did)).didDocument).toBeNull()

    const [a, b] = [
      await approve(entry.versionId, witnesses[0] as Signer),
      await approve(entry.versionId, witnesses[2] as Signer),
    ]
    expect((await prove(did, [a])).json()).toEqual({ did, published_version_id: null, waiting_versions: 1 })
    expect((await log(did)).statusCode).toBe(404)
    expect((await prove(did, [b])).json()).toEqual({ did, published_version_id: entry.versionId, waiting_versions: 0 })
    expect((await city.get(`/1.0/identifiers/${did}`)).json()).toMatchObject({ didDocument: { id: did } })
    expect((await city.registry.resolveDid(did)).didDocument?.id).toBe(did)

    const proofs = parseDidWitnessFile((await file(did)).body)
    const entries = parseDidLog((await log(did)).body)
    const options = { now: new Date(), witnessProofs: async () => proofs }
    expect((await resolveVersion(did, entries, options)).latest.versionId).toBe(entry.versionId)
  })

  test('stays what it was until its next version is approved, and a later approval stands for earlier versions', async () => {
    const witness = await newSigner()
    const { did, entry, state, signer } = await witnessedDid(1, [witness])
    await prove(did, [await approve(entry.versionId, witness)])
    const second = await updateDid(state, { signer, now: ago(50) })
    const after = nextDidState({ state, entry: second, now: new Date() })
    const third = await updateDid(after, { signer, now: ago(40) })
    for (const next of [second, third]) expect((await city.post(`/dids/${did}/entries`, next)).statusCode).toBe(201)
    expect(parseDidLog((await log(did)).body).length).toBe(1)
    expect((await prove(did, [await approve(third.versionId, witness)])).json()).toMatchObject({
      published_version_id: third.versionId,
      waiting_versions: 0,
    })
    // Only the newest approval of a witness is kept.
    expect(parseDidWitnessFile((await file(did)).body).map(({ versionId }) => versionId)).toEqual([third.versionId])
  })

  test('is not published on an approval of a version that is itself not sufficiently approved', async () => {
    const [one, two] = [await newSigner(), await newSigner()]
    const { did, state, signer } = await witnessedDid(1, [one])
    const witness = { threshold: 2, witnesses: [one, two].map(({ publicKey }) => ({ id: didKeyFor(publicKey) })) }
    const second = await updateDid(state, { signer, witness, now: ago(50) })
    const changed = nextDidState({ state, entry: second, now: new Date() })
    const third = await updateDid(changed, { signer, now: ago(40) })
    for (const next of [second, third]) await city.post(`/dids/${did}/entries`, next)
    expect((await prove(did, [await approve(third.versionId, one)])).json()).toMatchObject({
      published_version_id: null,
    })
    expect((await prove(did, [await approve(third.versionId, two)])).json()).toMatchObject({ waiting_versions: 0 })
  })

  test('takes no proof by others, of other versions, or that does not verify', async () => {
    const witness = await newSigner()
    const { did, entry } = await witnessedDid(1, [witness])
    const good = await approve(entry.versionId, witness)
    const [proof = {}] = good.proof
    const stranger = await approve(entry.versionId, await newSigner())
    const ofAnother = await approve(`2-${entry.versionId.slice(2)}`, witness)
    for (const item of [
      stranger,
      ofAnother,
      { ...good, proof: [{ ...proof, created: '2020-01-01T00:00:00Z' }] },
      { ...good, proof: [proof, proof] },
      { ...good, versionId: ofAnother.versionId },
    ])
      expect((await prove(did, [item])).json()).toMatchObject({ code: 'invalid-did-log', status: 400 })
    expect((await file(did)).statusCode).toBe(404)
    expect((await prove((await newDid()).did, [good])).json()).toMatchObject({ code: 'did-not-found' })
  })

  test('takes the same proof many times at once and keeps it once', async () => {
    const witness = await newSigner()
    const { did, entry } = await witnessedDid(1, [witness])
    const item = await approve(entry.versionId, witness)
    const replies = await Promise.all(Array.from({ length: 8 }, () => prove(did, [item])))
    expect(replies.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200))
    expect(parseDidWitnessFile((await file(did)).body)).toEqual([item])
  })

  test('takes no more proofs than a resolver reads, however long each is', async () => {
    const witnesses = await Promise.all(Array.from({ length: 11 }, newSigner))
    const { did, entry } = await witnessedDid(1, witnesses)
    const long = async (signer: Signer) => {
      const [{ proofValue: _, ...proof } = {}] = (await approve(entry.versionId, signer)).proof
      const options = { ...proof, id: `urn:${'x'.repeat(200_000)}` }
      const [aboutProof, aboutVersion] = [options, { versionId: entry.versionId }].map((of) =>
        sha256(canonicalBytes(of)),
      )
      const signature = await signer.sign(concat(aboutProof ?? none, aboutVersion ?? none))
      return { versionId: entry.versionId, proof: [{ ...options, proofValue: `z${toBase58(signature)}` }] }
    }
    const statuses: number[] = []
    for (const witness of witnesses) statuses.push((await prove(did, [await long(witness)])).statusCode)
    expect(statuses).toEqual([...Array(10).fill(200), 413])
    expect(parseDidWitnessFile((await file(did)).body).length).toBe(1)
  })

  test('is not listed before it is published', async () => {
    const { did } = await witnessedDid(1, [await newSigner()])
    expect((await city.get('/dids?limit=500')).json().dids.map((one: { did: string }) => one.did)).not.toContain(did)
  })
})

test('the registry approves what names it as a witness once the published log holds the entry, and not before', async () => {
  const { did: own } = (await city.get('/registry/witness')).json<{ did: string }>()
  const did = await newDid({ witness: { threshold: 1, witnesses: [{ id: own }] } })
  await city.post('/dids', { entry: did.entry, listed: false })
  expect((await log(did.did)).statusCode).toBe(404)
  city.registry.start()
  await eventually(async () => expect((await log(did.did)).statusCode).toBe(200))
  const proofs = parseDidWitnessFile((await file(did.did)).body)
  const options = { now: new Date(), witnessProofs: async () => proofs }
  const entries = parseDidLog((await log(did.did)).body)
  expect((await resolveVersion(did.did, entries, options)).latest.versionId).toBe(did.entry.versionId)
  expect((await city.get(`/1.0/identifiers/${did.did}`)).statusCode).toBe(200)
})
