import { toHex } from '@tillit/codec'
import { administer } from '@tillit/database'
import { verifyOpening, verifyReceipt } from '@tillit/log'
import type { Opening, StatusEventList } from '@tillit/schemas'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { logOf } from '../../../packages/log/src/log-of.fixture.ts'
import type { CredentialsTables } from '../src/index.ts'
import { createStore } from '../src/store.ts'
import {
  type Answer,
  addHolder,
  credentialsIn,
  idOf,
  newId,
  newIdentity,
  organisation,
  startCity,
  type TestCity,
} from './start-city.ts'

let city: TestCity
beforeAll(async () => {
  city = await startCity()
  await city.accredit(city.utility)
})
afterAll(() => city.stop())

const connect = () =>
  city.database.connect<CredentialsTables & { 'credentials.outbox': { id: number; commitment: Buffer } }>('credentials')

async function revokedEntitlement() {
  const { customer } = await addHolder(city, city.utility)
  const answer = await city.request(customer, 'MeteringPointEntitlement', await newIdentity())
  const [credential = ''] = credentialsIn(answer)
  const id = await idOf(city, credential)
  expect((await city.call(organisation(city.utility), 'POST', `/credentials/${id}/revocation`)).status).toBe(204)
  return { customer, id }
}

const commitments = async () =>
  (await connect().selectFrom('credentials.outbox').select('commitment').orderBy('id').execute()).map(
    ({ commitment }) => new Uint8Array(commitment),
  )

test('holder, issuer and registrar get what happened to a credential, and what opens it in the log', async () => {
  const { customer, id } = await revokedEntitlement()
  const log = await logOf(await commitments())
  for (const caller of [customer, organisation(city.utility), organisation(city.registrar)]) {
    const { events } = (await city.call(caller, 'GET', `/credentials/${id}/events`)).body as unknown as StatusEventList
    expect(events.map(({ seq, entry }) => [seq, entry.event])).toEqual([
      [1, 'issued'],
      [2, 'revoked'],
    ])
    for (const { seq, entry } of events) {
      const answer = await city.call(caller, 'GET', `/credentials/${id}/events/${seq}/receipt`)
      const opening = answer.body as unknown as Opening
      expect(opening.entry).toEqual(entry)
      expect(verifyReceipt(await log.receiptOf(opening), { vkey: log.vkey }).commitment).toBe(opening.commitment)
    }
  }
})

/** All of a problem but the id of the request. */
const words = ({ body: { request_id: _, ...problem } }: Answer) => problem

test('nobody else learns that the credential exists', async () => {
  const { id } = await revokedEntitlement()
  const other = await newIdentity()
  await city.accredit(other)
  const { customer: neighbour } = await addHolder(city, city.utility)
  const device = { kind: 'device', id: (await newIdentity()).did } as const
  for (const caller of [organisation(other), organisation(await newIdentity()), neighbour, device])
    for (const path of ['events', 'events/1/receipt']) {
      const refused = await city.call(caller, 'GET', `/credentials/${id}/${path}`)
      const unknown = await city.call(caller, 'GET', `/credentials/${newId('cred')}/${path}`)
      expect([refused.status, words(refused)]).toEqual([404, words(unknown)])
    }
  expect((await city.call(null, 'GET', `/credentials/${id}/events`)).status).toBe(401)
})

test('a receipt that was issued to the key of a wallet is its customer’s', async () => {
  const wallet = await newIdentity()
  const { customer } = await addHolder(city, city.utility)
  const { customer: neighbour } = await addHolder(city, city.utility)
  const { id } = await city.credentials.issueCredential({
    type: 'RevocationReceipt',
    holder: { did: wallet.did, jwk: { kty: 'OKP', crv: 'Ed25519', x: wallet.jwk.x } },
    claims: {
      ...{ record_id: newId('perm'), enforced_at: new Date().toISOString() },
      ...{ statement_sha256: '00'.repeat(32), recipients_told: [] },
    },
  })
  const path = `/credentials/${id}/events/1/receipt`
  expect((await city.call(customer, 'GET', path)).status).toBe(404)
  await administer(
    city.database.url,
    `insert into permissions.customer_key_v1 (customer_id, did) values ('${customer.id}', '${wallet.did}')`,
  )
  expect((await city.call(customer, 'GET', path)).body).toMatchObject({ kind: 'credential-status' })
  expect((await city.call(neighbour, 'GET', path)).status).toBe(404)
})

test.each(['0', '3', '2147483648', 'x'])('event %s of two is not there', async (seq) => {
  const { customer, id } = await revokedEntitlement()
  const { status } = await city.call(customer, 'GET', `/credentials/${id}/events/${seq}/receipt`)
  expect(status).toBe(seq === '3' ? 404 : 400)
})

test('once the salts are erased nothing here opens the leaves, and a receipt of before verifies as it did', async () => {
  const { customer, id } = await revokedEntitlement()
  const { id: kept, customer: other } = await revokedEntitlement()
  const path = `/credentials/${id}/events/2/receipt`
  const opening = (await city.call(customer, 'GET', path)).body as unknown as Opening
  const before = await commitments()
  const receipt = await (await logOf(before)).receiptOf(opening)

  const store = createStore(connect())
  expect(await store.write((writer) => writer.eraseStatusSalts(id))).toBe(2)
  expect(await store.write((writer) => writer.eraseStatusSalts(id))).toBe(0)

  const erased = await city.call(customer, 'GET', path)
  expect([erased.status, erased.body.code]).toEqual([410, 'salt-erased'])
  expect(erased.text).not.toContain(opening.commitment)
  const rows = await connect()
    .selectFrom('credentials.status_events')
    .select('salt')
    .where('credential_id', '=', id)
    .execute()
  expect(rows).toEqual([{ salt: null }, { salt: null }])
  // Whoever still has the entry cannot tell by it which leaf it is: without the salt there is nothing to try.
  const guess = { ...opening, salt: Buffer.alloc(16).toString('base64url') }
  expect(() => verifyOpening(guess)).toThrow('does not open')
  expect((await commitments()).map(toHex)).toEqual(before.map(toHex))
  expect(verifyReceipt(receipt).commitment).toBe(opening.commitment)
  expect((await city.call(customer, 'GET', `/credentials/${id}/events`)).status).toBe(200)
  expect((await city.call(other, 'GET', `/credentials/${kept}/events/2/receipt`)).status).toBe(200)
})

test.each([
  ['the salt is another one', `set salt = decode(repeat('00', 16), 'hex')`],
  ['the entry goes with the salt', `set salt = null, entry = '{}'`],
  ['the entry is another one', `set entry = '{}'`],
  ['the commitment is another one', `set commitment = decode(repeat('00', 32), 'hex')`],
])('the database refuses a change of a status event by which %s', async (_, change) => {
  await revokedEntitlement()
  const db = connect()
  await expect(sql.raw(`update credentials.status_events ${change}`).execute(db)).rejects.toThrow('append-only')
  await expect(sql`delete from credentials.status_events`.execute(db)).rejects.toThrow('append-only')
})
