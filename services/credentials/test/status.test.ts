import { randomBytes } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { fromBase64url, toHex } from '@tillit/codec'
import { issueSdJwtVc, statusReader } from '@tillit/credential'
import { createResolver } from '@tillit/did'
import { commit } from '@tillit/log'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allocateStatusIndex } from '../src/allocate-status-index.ts'
import type { CredentialsTables } from '../src/index.ts'
import { createStore } from '../src/store.ts'
import {
  addHolder,
  credentialsIn,
  idOf,
  newId,
  newIdentity,
  organisation,
  startCity,
  type TestCity,
} from './start-city.ts'

const statusListSize = 512

let city: TestCity
beforeAll(async () => {
  city = await startCity({ statusListSize })
  await city.accredit(city.utility)
})
afterAll(() => city.stop())

async function issueEntitlement(): Promise<{ credential: string; id: string; uri: string; idx: number }> {
  const { customer } = await addHolder(city, city.utility)
  const answer = await city.request(customer, 'MeteringPointEntitlement', await newIdentity())
  const [credential = ''] = credentialsIn(answer)
  const payload = JSON.parse(new TextDecoder().decode(fromBase64url(credential.split('.')[1] ?? '')))
  return { credential, id: await idOf(city, credential), ...payload.status.status_list }
}

/** What an outside verifier does: fetch the list and verify it under the authority's key. */
function readStatus(uri: string, idx: number): Promise<string> {
  const now = () => city.clock.now
  const resolver = createResolver({ webvhLog: async () => null, webvhWitness: async () => null, fetchText: null, now })
  return statusReader({
    fetchToken: async (address) => (await city.call(null, 'GET', new URL(address).pathname)).text,
    issuerDids: [city.authority.did],
    resolveDid: async (did) => ({ ...(await resolver.resolve(did)) }),
    now,
    inflate: (bytes, maxOutputLength) => new Uint8Array(inflateSync(bytes, { maxOutputLength })),
  })(uri, idx)
}

describe('a revocation', () => {
  test('shows in the status list and in verification at once', async () => {
    const { credential, id, uri, idx } = await issueEntitlement()
    expect(await readStatus(uri, idx)).toBe('valid')
    const path = `/credentials/${id}/revocation`
    expect((await city.call(organisation(city.utility), 'POST', path)).status).toBe(204)
    expect(await readStatus(uri, idx)).toBe('revoked')
    expect((await city.verify(credential)).body).toMatchObject({ verified: false, trusted: true, status: 'revoked' })
    expect((await city.call(organisation(city.utility), 'POST', path)).status).toBe(204)
  })

  test('is for the issuer and the registrar only', async () => {
    const { credential, id } = await issueEntitlement()
    const path = `/credentials/${id}/revocation`
    const stranger = await newIdentity()
    await city.accredit(stranger)
    for (const caller of [stranger, await newIdentity()]) {
      expect((await city.call(organisation(caller), 'POST', path)).body).toMatchObject({ code: 'role-required' })
    }
    expect((await city.verify(credential)).body).toMatchObject({ status: 'valid' })
    expect((await city.call(organisation(city.registrar), 'POST', path)).status).toBe(204)
    const unknown = `/credentials/${newId('cred')}/revocation`
    expect((await city.call(organisation(city.registrar), 'POST', unknown)).status).toBe(404)
  })

  test('of an accreditation removes the organisation, which can be accredited anew', async () => {
    const adviser = await newIdentity()
    const { credential } = (await city.accredit(adviser)).body as { credential: string }
    await city.call(organisation(city.registrar), 'POST', `/credentials/${await idOf(city, credential)}/revocation`)
    const path = `/trust/organisations/${adviser.did}`
    expect((await city.call(null, 'GET', path)).body).toMatchObject({ status: 'REMOVED' })
    expect((await city.accredit(adviser)).body).toMatchObject({ status: 'ACTIVE' })
  })
})

test('what a suspended utility issued is not trusted until it is readmitted', async () => {
  const { credential } = await issueEntitlement()
  const path = `/trust/organisations/${city.utility.did}/suspension`
  await city.call(organisation(city.registrar), 'POST', path)
  expect((await city.verify(credential)).body).toMatchObject({ verified: true, status: 'valid', trusted: false })
  await city.call(organisation(city.registrar), 'DELETE', path)
  expect((await city.verify(credential)).body).toMatchObject({ trusted: true })
})

describe('a status list', () => {
  test('may be kept for a second and is asked for again by its tag', async () => {
    const { uri, id } = await issueEntitlement()
    const { pathname } = new URL(uri)
    const first = await city.app.inject({ method: 'GET', url: pathname })
    expect(first.headers).toMatchObject({
      'content-type': 'application/statuslist+jwt',
      'cache-control': 'public, max-age=1',
    })
    const headers = { 'if-none-match': String(first.headers.etag) }
    expect((await city.app.inject({ method: 'GET', url: pathname, headers })).statusCode).toBe(304)
    await city.call(organisation(city.utility), 'POST', `/credentials/${id}/revocation`)
    const changed = await city.app.inject({ method: 'GET', url: pathname, headers })
    expect(changed.statusCode).toBe(200)
    expect(changed.headers.etag).not.toBe(first.headers.etag)
  })

  test('is signed again before it expires', async () => {
    const { uri, idx } = await issueEntitlement()
    const before = city.clock.now
    for (const minutes of [1, 2, 10]) {
      city.clock.now = new Date(before.getTime() + minutes * 60_000)
      expect(await readStatus(uri, idx)).toBe('valid')
    }
    city.clock.now = before
  })

  test('that does not exist is not found', async () => {
    expect((await city.call(null, 'GET', '/credentials/status-lists/999999')).status).toBe(404)
    expect((await city.call(null, 'GET', '/credentials/status-lists/0')).status).toBe(400)
  })
})

test('a thousand indexes taken at once are all different, over several lists, and not in order', async () => {
  const db = city.database.connect<CredentialsTables>('credentials', { maxConnections: 16 })
  const store = createStore(db)
  const places: { listId: number; idx: number }[] = []
  const inTurn = async () => {
    for (let i = 0; i < 50; i++) places.push(await store.write((writer) => allocateStatusIndex(writer, statusListSize)))
  }
  await Promise.all(Array.from({ length: 20 }, inTurn))
  expect(new Set(places.map(({ listId, idx }) => `${listId}/${idx}`)).size).toBe(1_000)
  expect(places.every(({ idx }) => idx >= 0 && idx < statusListSize)).toBe(true)
  expect(new Set(places.map(({ listId }) => listId)).size).toBeGreaterThan(1)
  const ofOneList = places.filter(({ listId }) => listId === places[0]?.listId).map(({ idx }) => idx)
  expect(ofOneList).not.toEqual(ofOneList.toSorted((a, b) => a - b))
  const open = await db.selectFrom('credentials.status_lists').select('id').where('closed_at', 'is', null).execute()
  expect(open).toHaveLength(1)
})

test('issuing and each change of status reach the log as openable commitments', async () => {
  const { id } = await issueEntitlement()
  await city.call(organisation(city.utility), 'POST', `/credentials/${id}/revocation`)
  const db = city.database.connect<CredentialsTables & { 'credentials.outbox': { kind: string; commitment: Buffer } }>(
    'credentials',
  )
  const events = await db
    .selectFrom('credentials.status_events')
    .selectAll()
    .where('credential_id', '=', id)
    .orderBy('id')
    .execute()
  expect(events.map(({ entry }) => entry.event)).toEqual(['issued', 'revoked'])
  const outbox = await db.selectFrom('credentials.outbox').selectAll().execute()
  const leaves = outbox.filter(({ kind }) => kind === 'credential-status').map(({ commitment }) => toHex(commitment))
  for (const { entry, salt, commitment } of events) {
    expect(commit(salt ?? new Uint8Array(), entry)).toEqual(new Uint8Array(commitment))
    expect(leaves).toContain(toHex(commitment))
    expect(JSON.stringify(entry)).not.toMatch(/cust_|gsrn|mp_/)
  }
})

test('a credential that points at an index where nothing was issued is of unknown status', async () => {
  const { credential, uri } = await issueEntitlement()
  const forged = await issueSdJwtVc({
    type: 'MeterDeviceCredential',
    issuerDid: city.utility.did,
    keyId: city.utility.keyId,
    signer: city.utility.signer,
    holderJwk: { kty: 'OKP', crv: 'Ed25519', x: city.utility.jwk.x },
    claims: { model: 'M', serial: 'S', metering_point: newId('mp') },
    status: { idx: statusListSize + 1, uri },
    issuedAt: city.clock.now,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
  })
  expect((await city.verify(forged)).body).toMatchObject({ status: 403, code: 'status-unknown' })
  expect((await city.verify(credential)).status).toBe(200)
})
