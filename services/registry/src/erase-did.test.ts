import type { DidAccepted } from '@tillit/schemas'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RegistryTables } from './index.ts'
import { eventually, newDid, type OwnRegistry, ownRegistry } from './registry.fixture.ts'

let city: OwnRegistry
beforeAll(async () => {
  city = await ownRegistry()
})
afterAll(() => city.close())

async function registered(listed: boolean, path?: string[]) {
  const did = await newDid(path === undefined ? {} : { path })
  const reply = await city.post('/dids', { entry: did.entry, listed })
  return { ...did, reply, accepted: reply.json<DidAccepted>() }
}

async function erase(did: string, as = did) {
  const url = `/dids/${did}`
  const headers = await city.issuer.headers({ kind: 'device', id: as }, 'DELETE', url)
  return city.app.inject({ method: 'DELETE', url, headers: { ...headers } })
}

test('an erased DID is gone with its salts, its place stays empty, and the log goes on', async () => {
  const { did, entry, accepted } = await registered(false)
  const slug = did.split(':').at(-1) ?? ''
  city.registry.start()
  const proof = () => city.get(`/log/leaves/${accepted.opening.commitment}/proof`)
  await eventually(async () => expect((await proof()).statusCode).toBe(200))
  await city.get(`/1.0/identifiers/${did}`)

  expect((await erase(did)).statusCode).toBe(204)
  expect((await erase(did)).statusCode).toBe(204)
  const gone = await city.get(`/1.0/identifiers/${did}`)
  expect(gone.statusCode).toBe(410)
  expect(gone.json()).toMatchObject({ didDocument: null, didDocumentMetadata: { deactivated: true } })
  expect(await city.registry.resolveDid(did)).toMatchObject({ didDocument: null })
  expect((await city.get(`/dids/${slug}/did.jsonl`)).json()).toMatchObject({ code: 'did-erased', status: 410 })
  expect((await city.post('/dids', { entry, listed: false })).json()).toMatchObject({ code: 'did-erased' })
  expect((await city.post(`/dids/${did}/entries`, entry)).json()).toMatchObject({ code: 'did-erased' })
  expect((await registered(false, ['dids', slug])).reply.json()).toMatchObject({ code: 'did-conflict' })

  const db = city.database.connect<RegistryTables>('registry')
  for (const table of ['dids', 'did_entries', 'did_witness_proofs', 'did_witness_duties']) {
    const { rows } = await sql`SELECT 1 FROM ${sql.table(`registry.${table}`)} WHERE did = ${did}`.execute(db)
    expect(rows).toEqual([])
  }
  // The leaf is still there and still proved; nobody can say any more what it was about.
  expect((await proof()).statusCode).toBe(200)
})

test('only the DID itself erases, and a listed one is not erased', async () => {
  const [listed, unlisted] = [await registered(true), await registered(false)]
  expect((await erase(unlisted.did, listed.did)).json()).toMatchObject({ code: 'role-required', status: 403 })
  expect((await erase(listed.did)).json()).toMatchObject({ code: 'conflict', status: 409 })
  expect((await city.app.inject({ method: 'DELETE', url: `/dids/${unlisted.did}` })).statusCode).toBe(401)
  expect((await erase((await newDid()).did)).statusCode).toBe(404)
  for (const { did } of [listed, unlisted]) expect((await city.get(`/1.0/identifiers/${did}`)).statusCode).toBe(200)
})

test('erasing while the DID is registered again leaves it erased', async () => {
  for (let round = 0; round < 10; round++) {
    const { did, entry } = await registered(false)
    const others = Array.from({ length: 6 }, () => city.post('/dids', { entry, listed: false }))
    expect((await erase(did)).statusCode).toBe(204)
    for (const { statusCode } of await Promise.all(others)) expect([200, 410]).toContain(statusCode)
    expect((await city.get(`/1.0/identifiers/${did}`)).statusCode).toBe(410)
  }
})
