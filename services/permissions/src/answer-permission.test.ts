import { randomBytes } from 'node:crypto'
import { fromBase64url, toHex } from '@tillit/codec'
import { commit } from '@tillit/log'
import { delegationType, scopeDigest } from '@tillit/policy'
import type { Opening, Permission, PermissionEvent } from '@tillit/schemas'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Actor,
  accept,
  acceptanceClaims,
  active,
  actor,
  answer,
  asCustomer,
  ask,
  asOrganisation,
  bind,
  bindingClaims,
  buildCity,
  type City,
  sign,
} from './city.fixture.ts'

let city: City
beforeAll(async () => {
  city = await buildCity()
})
afterAll(() => city.close())

const hand = (id: string, noun: string, statement: string, by = city.customer) =>
  city.call(asCustomer(by), 'POST', `/permissions/${id}/${noun}`, { body: { statement } })
const stateOf = async (id: string) =>
  (await city.call(asCustomer(city.customer), 'GET', `/permissions/${id}`)).body.state
const payloadOf = (receipt: unknown) =>
  JSON.parse(new TextDecoder().decode(fromBase64url(String(receipt).split('.')[1] ?? '')))

test('the customer narrows and accepts, gets a receipt, revokes, and gets another one', async () => {
  const asked = await ask(city)
  const daily = { finest_granularity: 'P1D', purpose: [{ code: 'energy-advice', required: true }] }
  const statement = await accept(city, asked, daily)
  const accepted = await hand(asked.id, 'acceptance', statement)
  expect(accepted).toMatchObject({
    status: 200,
    body: {
      enforced_at: null,
      permission: { state: 'ACTIVE', status: 'ACCEPTED', metering_point: city.meteringPoint, scope: daily },
    },
  })
  expect(payloadOf(accepted.body.receipt)).toMatchObject({
    vct: 'ConsentReceipt',
    record_id: asked.id,
    purposes: ['energy-advice'],
    scope_digest: scopeDigest({ ...asked.requested_scope, ...daily }),
  })

  const revocation = await answer(city, asked.id, 'revoke')
  const revoked = await hand(asked.id, 'revocation', revocation)
  expect(revoked).toMatchObject({
    status: 200,
    body: { enforced_at: city.clock.now.toISOString(), permission: { state: 'REVOKED' } },
  })
  expect(payloadOf(revoked.body.receipt)).toMatchObject({
    vct: 'RevocationReceipt',
    record_id: asked.id,
    recipients_told: [city.adviser.did],
  })
  const obligation = await city.db
    .selectFrom('permissions.erasure_obligations')
    .selectAll()
    .where('permission_id', '=', asked.id)
    .execute()
  expect(obligation).toMatchObject([{ recipient_did: city.adviser.did, due_at: new Date('2026-03-31T12:00:00Z') }])
  // The very same statement again changes nothing and gives the same receipt.
  expect((await hand(asked.id, 'revocation', revocation)).body).toEqual(revoked.body)
  expect((await hand(asked.id, 'acceptance', statement)).body.receipt).toBe(accepted.body.receipt)
  // Another one comes too late.
  const again = await hand(asked.id, 'revocation', await answer(city, asked.id, 'revoke'))
  expect(again).toMatchObject({ status: 409, body: { code: 'invalid-transition' } })
})

test('every event opens a commitment that is on its way to the log', async () => {
  const { permission } = await active(city)
  const path = `/permissions/${permission.id}/events`
  const events = (await city.call(asOrganisation(city.adviser), 'GET', path)).body.events as PermissionEvent[]
  expect(events.map(({ to }) => to)).toEqual([
    'CREATED',
    'VALIDATED',
    'SENT_TO_PERMISSION_ADMINISTRATOR',
    'ACCEPTED',
    'ACTIVE',
  ])
  for (const event of events) {
    const reply = await city.call(asCustomer(city.customer), 'GET', `${path}/${event.seq}/receipt`)
    const opening = reply.body as unknown as Opening
    expect(opening.entry).toEqual(event)
    expect(toHex(commit(fromBase64url(opening.salt), opening.entry))).toBe(opening.commitment)
    const leaf = await sql`SELECT 1 FROM permissions.outbox
      WHERE kind = 'permission-event' AND commitment = decode(${opening.commitment}, 'hex')`.execute(city.db)
    expect(leaf.rows).toHaveLength(1)
  }
  expect(JSON.stringify(events)).not.toContain(city.customer.id)
})

test('an event whose salt was erased says so, and one that never was does not', async () => {
  const { permission } = await active(city)
  const path = `/permissions/${permission.id}/events`
  await sql`UPDATE permissions.permission_events SET salt = NULL WHERE permission_id = ${permission.id} AND seq = 1`.execute(
    city.db,
  )
  const receipt = (seq: number) => city.call(asCustomer(city.customer), 'GET', `${path}/${seq}/receipt`)
  expect(await receipt(1)).toMatchObject({ status: 410, body: { code: 'salt-erased' } })
  expect(await receipt(2)).toMatchObject({ status: 200 })
  expect(await receipt(99)).toMatchObject({ status: 404, body: { code: 'not-found' } })
})

test.each<[string, string, (permission: Permission) => Promise<string>]>([
  [
    'signed by a foreign key',
    'key-not-bound',
    async (p) => signed(p, { iss: city.neighbour.wallet.did, sub: city.neighbour.wallet.did }, city.neighbour.wallet),
  ],
  [
    'signed by an unknown key under the customer’s name',
    'invalid-signature',
    async (p) => signed(p, {}, await actor()),
  ],
  ['for another party', 'invalid-request', (p) => signed(p, { aud: city.processor.did })],
  ['for another permission', 'invalid-request', (p) => signed(p, { jti: 'perm_AAAAAAAAAAAAAAAAAAAAAA' })],
  ['confirming another key', 'invalid-request', (p) => signed(p, { cnf: { jkt: 'A'.repeat(43) } })],
  [
    'with the digest of another scope',
    'invalid-request',
    (p) => signed(p, { notice: { version: '1', locale: 'nb', scope_digest: 'a'.repeat(64) } }),
  ],
  ['without what was shown', 'invalid-request', (p) => signed(p, { notice: undefined })],
  ['finer than asked', 'scope-wider', (p) => accept(city, p, { finest_granularity: 'PT15M' })],
  ['longer than asked', 'scope-wider', (p) => accept(city, p, { expires: '2027-02-01T00:00:00Z' })],
  [
    'without a required purpose',
    'invalid-scope',
    (p) => accept(city, p, { purpose: [{ code: 'efficiency-verification', required: false }] }),
  ],
  ['with an unknown claim', 'invalid-delegation', (p) => signed(p, { admin: true })],
  ['long ago', 'statement-expired', (p) => signed(p, { iat: 1_700_000_000 })],
  ['of another type', 'invalid-jws', (p) => sign('jwt', acceptanceClaims(city, p), city.customer.wallet)],
  ['that is no JWS', 'invalid-request', async () => 'x'],
])('an acceptance %s is refused and changes nothing', async (_name, code, make) => {
  const asked = await ask(city)
  const reply = await hand(asked.id, 'acceptance', await make(asked))
  expect(reply.body).toMatchObject({ code })
  expect(await stateOf(asked.id)).toBe('SENT_TO_PERMISSION_ADMINISTRATOR')
})

test.each<[string, string, (id: string) => Promise<string>]>([
  ['for somebody else', 'invalid-request', (id) => answer(city, id, 'revoke', { aud: city.adviser.did })],
  ['that rejects', 'invalid-request', (id) => answer(city, id, 'reject')],
  ['of another permission', 'invalid-request', () => answer(city, 'perm_AAAAAAAAAAAAAAAAAAAAAA', 'revoke')],
  ['by a foreign key', 'key-not-bound', (id) => answer(city, id, 'revoke', { iss: city.neighbour.wallet.did })],
])('a revocation %s is refused and changes nothing', async (_name, code, make) => {
  const { permission } = await active(city)
  expect((await hand(permission.id, 'revocation', await make(permission.id))).body).toMatchObject({ code })
  expect(await stateOf(permission.id)).toBe('ACTIVE')
})

test('a statement identifier is used once', async () => {
  const [one, other] = [await active(city), await active(city)]
  const jti = randomBytes(16).toString('base64url')
  await hand(one.permission.id, 'revocation', await answer(city, one.permission.id, 'revoke', { jti }))
  const replayed = await hand(
    other.permission.id,
    'revocation',
    await answer(city, other.permission.id, 'revoke', { jti }),
  )
  expect(replayed).toMatchObject({ status: 409, body: { code: 'statement-replayed' } })
  expect(await stateOf(other.permission.id)).toBe('ACTIVE')
})

test('nobody answers for another customer', async () => {
  const asked = await ask(city)
  const { permission } = await active(city)
  expect(await hand(asked.id, 'acceptance', await accept(city, asked), city.neighbour)).toMatchObject({ status: 404 })
  expect(await hand(asked.id, 'rejection', await answer(city, asked.id, 'reject'), city.neighbour)).toMatchObject({
    status: 404,
  })
  const revocation = await answer(city, permission.id, 'revoke')
  expect(await hand(permission.id, 'revocation', revocation, city.neighbour)).toMatchObject({ status: 404 })
})

test('a rejected request cannot be accepted, and the party sees why it ended', async () => {
  const asked = await ask(city)
  const rejected = await hand(asked.id, 'rejection', await answer(city, asked.id, 'reject'))
  expect(rejected).toMatchObject({ status: 200, body: { permission: { state: 'REJECTED' }, receipt: null } })
  expect(await hand(asked.id, 'acceptance', await accept(city, asked))).toMatchObject({
    body: { code: 'invalid-transition' },
  })
  expect(await city.call(asOrganisation(city.adviser), 'GET', `/permissions/${asked.id}`)).toMatchObject({
    body: { state: 'REJECTED', metering_point: null },
  })
})

test('of many answers at once exactly one counts', async () => {
  for (let round = 0; round < 5; round++) {
    const asked = await ask(city)
    const replies = await Promise.all([
      hand(asked.id, 'acceptance', await accept(city, asked)),
      hand(asked.id, 'acceptance', await accept(city, asked, { finest_granularity: 'P1D' })),
      hand(asked.id, 'rejection', await answer(city, asked.id, 'reject')),
      city.call(asOrganisation(city.adviser), 'POST', `/permissions/${asked.id}/termination`),
    ])
    const final = await stateOf(asked.id)
    const events = (await city.call(asOrganisation(city.adviser), 'GET', `/permissions/${asked.id}/events`)).body
      .events as PermissionEvent[]
    expect(['ACTIVE', 'REJECTED', 'TERMINATED']).toContain(final)
    // Termination may follow an acceptance; each other answer excludes the rest.
    expect(replies.slice(0, 3).filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1))
    expect(events.filter(({ event }) => event === 'accepted').length).toBeLessThanOrEqual(1)
  }
})

test('the same acceptance, rejection or revocation sent at once is taken once and answered alike', async () => {
  const atOnce = async (id: string, noun: string, statement: string) => {
    const replies = await Promise.all([1, 2, 3, 4, 5, 6].map(() => hand(id, noun, statement)))
    return new Set(replies.map(({ status, body }) => `${status} ${(body.permission as Permission | undefined)?.state}`))
  }
  for (let round = 0; round < 12; round++) {
    const asked = await ask(city)
    expect([...(await atOnce(asked.id, 'acceptance', await accept(city, asked)))]).toEqual(['200 ACTIVE'])
    const revocation = await answer(city, asked.id, 'revoke')
    expect([...(await atOnce(asked.id, 'revocation', revocation))]).toEqual(['200 REVOKED'])
    const unwanted = await ask(city)
    const rejection = await answer(city, unwanted.id, 'reject')
    expect([...(await atOnce(unwanted.id, 'rejection', rejection))]).toEqual(['200 REJECTED'])
  }
})

test('a revocation waits for the read under way and lets none start', async () => {
  const { permission } = await active(city)
  const other = city.database.connect<object>('metering')
  const key = sql`hashtextextended(${`permission:${permission.id}`}, 0)`
  const waiting = async () =>
    (await sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`.execute(city.db)).rows.length
  await other.connection().execute(async (reader) => {
    await sql`SELECT pg_advisory_lock_shared(${key})`.execute(reader)
    let done = false
    const revocation = hand(permission.id, 'revocation', await answer(city, permission.id, 'revoke')).then((reply) => {
      done = true
      return reply
    })
    while ((await waiting()) === 0) expect(done).toBe(false)
    expect(done).toBe(false)
    expect(await stateOf(permission.id)).toBe('ACTIVE')
    const late = await sql<{ got: boolean }>`SELECT pg_try_advisory_lock_shared(${key}) AS got`.execute(other)
    expect(late.rows).toEqual([{ got: false }])
    await sql`SELECT pg_advisory_unlock_shared(${key})`.execute(reader)
    expect(await revocation).toMatchObject({ status: 200, body: { permission: { state: 'REVOKED' } } })
  })
})

test('a second wallet key does not undo the first, and a binding is used once', async () => {
  const phone = { id: city.customer.id, wallet: await actor() }
  const statement = await sign('tillit-key-binding+jwt', bindingClaims(city, phone), phone.wallet, true)
  const body = { statement }
  expect(await city.call(asCustomer(phone), 'POST', '/wallet/keys', { body })).toMatchObject({
    status: 201,
    body: { did: phone.wallet.did, valid_to: null },
  })
  expect(await city.call(asCustomer(phone), 'POST', '/wallet/keys', { body })).toMatchObject({
    body: { code: 'statement-replayed' },
  })
  expect((await city.call(asCustomer(phone), 'GET', '/wallet/keys')).body.keys).toHaveLength(2)
  expect(await bind(city, { id: city.neighbour.id, wallet: phone.wallet })).toMatchObject({
    body: { code: 'conflict' },
  })
  expect((await active(city)).permission.state).toBe('ACTIVE')
})

test.each<[string, string, (wallet: Actor) => object]>([
  ['for another customer', 'invalid-request', () => ({ sub: city.neighbour.id })],
  ['for another city', 'invalid-request', () => ({ aud: 'did:web:other.example' })],
  ['in the name of another key', 'invalid-request', () => ({ iss: city.neighbour.wallet.did })],
  ['of long ago', 'statement-expired', () => ({ iat: 1_700_000_000 })],
])('a key binding %s is refused', async (_name, code, change) => {
  const laptop = { id: city.customer.id, wallet: await actor() }
  const claims = { ...bindingClaims(city, laptop), ...change(laptop.wallet) }
  const statement = await sign('tillit-key-binding+jwt', claims, laptop.wallet, true)
  expect(await city.call(asCustomer(laptop), 'POST', '/wallet/keys', { body: { statement } })).toMatchObject({
    body: { code },
  })
})

function signed(permission: Permission, change: object, by: Actor = city.customer.wallet): Promise<string> {
  return sign(delegationType, { ...acceptanceClaims(city, permission), ...change }, by)
}
