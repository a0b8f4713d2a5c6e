import { createDid, didKeyFor, moveDid, updateDid, verifyDidLog, witnessEntry } from '@tillit/did'
import { parseTrustPolicy } from '@tillit/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fetchFromCity } from './fetch-city.ts'
import { fsckCity } from './fsck-city.ts'
import { LyingLog, now, signerOf } from './lying-log.fixture.ts'

/** Anyone may register a public DID; what its controller does with it says nothing against the city. */
let log: LyingLog

beforeEach(async () => {
  log = await LyingLog.start()
  log.addUnlisted(3)
})

afterEach(async () => {
  await log.stop()
})

async function findings(): Promise<string[]> {
  await log.publish()
  const { findings: found } = await fsckCity({
    fetchCity: fetchFromCity(log.url, { pausesMilliseconds: [] }),
    policy: parseTrustPolicy(log.policy),
    now: () => now,
    settleMilliseconds: 0,
  })
  return found.map(({ code, where }) => `${code} ${where}`)
}

const before = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
const place = { host: 'city.example', path: ['dids', '{SCID}'] }

async function movedDid({ to }: { to: readonly string[] }) {
  const signer = await signerOf(20)
  const { did, entry } = await createDid({ signer, ...place, portable: true, now: before(9) })
  const state = verifyDidLog([entry], { now })
  const moved = await moveDid(state, { signer, host: 'other.example', path: to, now: before(8) })
  log.dids.set(did, { entries: [entry, moved], witness: null })
  log.addPublic(entry)
  log.addPublic(moved)
  return { did, entry, moved }
}

test('a DID that moved away is compared with the history at the place that it had here', async () => {
  const { did, entry } = await movedDid({ to: ['dids', '{SCID}'] })
  expect(await findings()).toEqual([])
  log.dids.set(did, { entries: [entry], witness: null })
  expect(await findings()).toEqual([`did-entry-hidden ${did}`])
})

test('a DID that moved to where another one lives here does not stand against that one', async () => {
  const other = await log.addDid(10)
  await movedDid({ to: ['dids', other.split(':')[2] ?? ''] })
  expect(await findings()).toEqual([])
})

/** What a DID was elsewhere, and the entry that brings it here. */
async function arrivingDid() {
  const signer = await signerOf(23)
  const elsewhere = { host: 'other.example', path: ['people', '{SCID}'], portable: true }
  const { entry } = await createDid({ signer, ...elsewhere, now: before(90) })
  const state = verifyDidLog([entry], { now })
  const to = { host: place.host, path: ['dids', state.scid] }
  const arrival = await moveDid(state, { signer, ...to, now: before(80) })
  return { entry, arrival, did: verifyDidLog([entry, arrival], { now }).did }
}

test('a DID that moved in is compared with the history at its place here, what it was elsewhere included', async () => {
  const { did, entry, arrival } = await arrivingDid()
  log.dids.set(did, { entries: [entry, arrival], witness: null })
  log.addPublic(entry)
  log.addPublic(arrival)
  await log.updateDid(did, 23)
  expect(await findings()).toEqual([])
  log.dids.set(did, { entries: [entry], witness: null })
  expect(await findings()).toEqual([`did-entry-hidden ${did}`])
})

test('a DID that is only on its way in is not asked for, and that it was not compared is told', async () => {
  const { entry } = await arrivingDid()
  await log.addDid(10)
  log.addPublic(entry)
  expect(await findings()).toEqual([`did-elsewhere ${entry.state.id}`])
})

test('a DID whose witnesses never approved it is not served, and that is right', async () => {
  const [signer, witness] = [await signerOf(21), await signerOf(50)]
  const required = { threshold: 1, witnesses: [{ id: didKeyFor(witness.publicKey) }] }
  const { entry } = await createDid({ signer, ...place, witness: required, now: before(9) })
  log.addPublic(entry)
  expect(await findings()).toEqual([])
})

test('a proof of a version that is not published stands for none before it', async () => {
  const [signer, a, b] = [await signerOf(22), await signerOf(50), await signerOf(51)]
  const by = (...witnesses: (typeof a)[]) => ({
    threshold: witnesses.length,
    witnesses: witnesses.map(({ publicKey }) => ({ id: didKeyFor(publicKey) })),
  })
  const { did, entry } = await createDid({ signer, ...place, now: before(9) })
  const second = await updateDid(verifyDidLog([entry], { now }), { signer, witness: by(a), now: before(8) })
  const both = verifyDidLog([entry, second], { now })
  const third = await updateDid(both, { signer, witness: by(a, b), now: before(7) })
  const fourth = await updateDid(verifyDidLog([entry, second, third], { now }), { signer, now: before(6) })
  for (const logged of [entry, second, third, fourth]) log.addPublic(logged)
  const proofs = [await witnessEntry(fourth.versionId, a, before(5))]
  log.dids.set(did, { entries: [entry], witness: JSON.stringify(proofs) })
  expect(await findings()).toEqual([])
})
