import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDid, nextDidState, verifyDidLog } from '@tillit/did'
import { type KeyStore, openKeyStore } from '@tillit/key-store'
import { generatePrivateJwk, signerFromJwk, toMultikey } from '@tillit/keys'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Identity, openCityIdentity, openIdentity } from './identities.ts'

let folder: string
let keys: KeyStore
let time: Date
const place = () => ({ host: 'city.example', slug: 'registrar', now: time })
const open = () => openCityIdentity(keys, 'registrar', { ...place(), exportable: false })
const openKeys = () => openKeyStore({ folder, passphrase: 'a passphrase that is long enough', now: () => time })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tillit-identities-'))
  time = new Date('2026-01-01T00:00:00Z')
  keys = await openKeys()
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What a resolver makes of the entries. */
function resolve({ genesis, updates }: Identity) {
  const now = new Date(time.getTime() + 60_000)
  return [genesis, ...updates].reduce(
    (state: ReturnType<typeof nextDidState> | null, entry) => nextDidState({ state, entry, now }),
    null,
  )
}
const methodsOf = (identity: Identity) => resolve(identity)?.document.verificationMethod?.map(({ id }) => id)

test('an identity is made once, and a key of its own signs its entries', async () => {
  const identity = await open()
  expect(await open()).toEqual({ ...identity, signer: expect.anything() })
  expect(identity.privateJwk).toBeNull()
  expect(methodsOf(identity)).toEqual([identity.keyId])
  const update = await keys.signer('registrar-update')
  expect(resolve(identity)?.updateKeys).toEqual([toMultikey(update.publicKey)])
  expect(identity.keyId).not.toContain(toMultikey(update.publicKey))
})

test('an identity that an older city left keeps its DID, and its updates get a key of their own', async () => {
  const jwk = await generatePrivateJwk()
  const signer = await signerFromJwk(jwk)
  const { did, entry } = await createDid({ host: 'city.example', path: ['dids', 'registrar'], signer, now: time })
  const keyId = `${did}#${toMultikey(signer.publicKey)}`
  writeFileSync(join(folder, 'registrar.jwk.json'), JSON.stringify(jwk))
  const stored = { did, key_id: keyId, private_jwk: jwk, genesis: entry }
  writeFileSync(join(folder, 'registrar.identity.json'), JSON.stringify(stored))
  keys = await openKeys()
  const identity = await open()
  expect(identity).toMatchObject({ did, keyId, genesis: entry, updates: [expect.anything()] })
  expect(methodsOf(identity)).toEqual([keyId])
  expect(resolve(identity)?.updateKeys).toEqual([toMultikey((await keys.signer('registrar-update')).publicKey)])
  // The second time there is nothing left to do.
  expect((await open()).updates).toEqual(identity.updates)
})

test('a key that is rotated twice within an overlap leaves the document when its own end has come', async () => {
  const first = await open()
  await keys.rotate('registrar', { overlapSeconds: 3600 })
  time = new Date('2026-01-01T00:10:00Z')
  const second = await open()
  expect(methodsOf(second)).toEqual([second.keyId, first.keyId])
  await keys.rotate('registrar', { overlapSeconds: 3600 })
  const third = await open()
  expect(methodsOf(third)).toEqual([third.keyId, second.keyId, first.keyId])
  expect(third.did).toBe(first.did)
  time = new Date('2026-01-01T01:00:00Z')
  expect(methodsOf(await open())).toEqual([third.keyId, second.keyId])
  time = new Date('2026-01-02T00:00:00Z')
  const last = await open()
  expect(methodsOf(last)).toEqual([third.keyId])
  expect(last.updates).toHaveLength(4)
})

test('two rotations between two starts make one entry', async () => {
  const first = await open()
  await keys.rotate('registrar', { overlapSeconds: 3600 })
  await keys.rotate('registrar', { overlapSeconds: 3600 })
  const identity = await open()
  expect(identity.updates).toHaveLength(1)
  expect(methodsOf(identity)).toHaveLength(3)
  expect(methodsOf(identity)?.at(-1)).toBe(first.keyId)
})

test('a key that was stolen is out at once', async () => {
  const first = await open()
  await keys.rotate('registrar', { overlapSeconds: 0 })
  const second = await open()
  expect(methodsOf(second)).toEqual([second.keyId])
  expect(second.keyId).not.toBe(first.keyId)
})

test('the right to update goes from key to key, and is not lost unnoticed', async () => {
  await open()
  await keys.rotate('registrar-update', { overlapSeconds: 3600 })
  const identity = await open()
  expect(resolve(identity)?.updateKeys).toEqual([toMultikey((await keys.signer('registrar-update')).publicKey)])
  await keys.rotate('registrar-update', { overlapSeconds: 60 })
  time = new Date('2026-01-01T01:00:00Z')
  await expect(open()).rejects.toMatchObject({ code: 'invalid-configuration' })
})

test('a clock that was set back does not keep the city from opening its identity', async () => {
  const identity = await open()
  time = new Date('2025-12-31T00:00:00Z')
  expect((await open()).did).toBe(identity.did)
})

test('a key that may be handed out belongs to its DID', async () => {
  const { privateJwk, signer, did, genesis } = await openIdentity(keys, 'meter', { ...place(), slug: 'meter' })
  expect((await signerFromJwk(privateJwk)).publicKey).toEqual(signer.publicKey)
  expect(verifyDidLog([genesis], { now: time }).did).toBe(did)
  const exported = await openCityIdentity(keys, 'utility', { ...place(), slug: 'utility', exportable: true })
  expect((await signerFromJwk(exported.privateJwk ?? privateJwk)).publicKey).toEqual(exported.signer.publicKey)
})
