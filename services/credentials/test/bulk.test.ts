import type { CredentialBatch, CredentialBatchResult } from '@tillit/schemas'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  addHolder,
  type Identity,
  idOf,
  newId,
  newIdentity,
  organisation,
  startCity,
  type TestCity,
} from './start-city.ts'

const gsrn = '707057500000000001'
const from = '2025-01-01T00:00:00Z'

let city: TestCity
let point: string
let wallet: Identity
beforeAll(async () => {
  city = await startCity({ statusListSize: 512 })
  await city.accredit(city.utility)
  point = (await addHolder(city, city.utility)).point
  wallet = await newIdentity()
})
afterAll(() => city.stop())

type Lines = CredentialBatch['lines']

const lineOf = (line: number, changes: Partial<Lines[number]> = {}): Lines[number] => ({
  line,
  holder: wallet.did,
  claims: { metering_point: point, role: 'holder', from },
  ...changes,
})

const send = (lines: Lines, { run = newId('run'), type = 'MeteringPointEntitlement', by = city.utility } = {}) =>
  city.call(organisation(by), 'POST', '/credentials/batches', { run, type, lines })

function resultOf({ status, text, body }: Answer): CredentialBatchResult {
  if (status !== 200) throw new Error(`${status}: ${text}`)
  return body as unknown as CredentialBatchResult
}

const eventsOf = async (id: string) =>
  (await city.db.selectFrom('credentials.status_events').select('entry').where('credential_id', '=', id).execute()).map(
    ({ entry }) => entry.event,
  )

describe('a batch', () => {
  test('issues every line: registered, in the log, and verified by anyone', async () => {
    const lines = Array.from({ length: 40 }, (_, i) => lineOf(i + 1))
    const { issued, refused } = resultOf(await send(lines))
    expect(refused).toEqual([])
    expect(issued.map(({ line }) => line)).toEqual(lines.map(({ line }) => line))
    for (const { id, credential } of issued) {
      expect((await city.verify(credential)).body).toMatchObject({ verified: true, trusted: true, status: 'valid' })
      expect(await idOf(city, credential)).toBe(id)
      expect(await eventsOf(id)).toEqual(['issued'])
    }
    const outbox = await city.database
      .connect<{ 'credentials.outbox': { commitment: Buffer } }>('credentials')
      .selectFrom('credentials.outbox')
      .select('commitment')
      .execute()
    const events = await city.db.selectFrom('credentials.status_events').select('commitment').execute()
    const inOutbox = new Set(outbox.map(({ commitment }) => commitment.toString('hex')))
    expect(events.every(({ commitment }) => inOutbox.has(Buffer.from(commitment).toString('hex')))).toBe(true)
  })

  test('larger than what is left of a status list goes on in the next, and no index is given twice', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => lineOf(i + 1))
    expect(resultOf(await send(lines)).issued).toHaveLength(500)
    const places = await city.db
      .selectFrom('credentials.issued_credentials')
      .select(['status_list_id', 'status_index'])
      .execute()
    expect(new Set(places.map((place) => JSON.stringify(place))).size).toBe(places.length)
    const open = await city.db
      .selectFrom('credentials.status_lists')
      .select('id')
      .where('closed_at', 'is', null)
      .execute()
    expect(open).toHaveLength(1)
  })

  test('gives its lines indexes that do not follow their order', async () => {
    const { issued } = resultOf(await send(Array.from({ length: 40 }, (_, i) => lineOf(i + 1))))
    const rows = await city.db.selectFrom('credentials.issued_credentials').select(['id', 'status_index']).execute()
    const indexOf = new Map(rows.map(({ id, status_index }) => [id, status_index]))
    const indexes = issued.map(({ id }) => indexOf.get(id) ?? -1)
    expect(indexes).not.toEqual(indexes.toSorted((a, b) => a - b))
  })

  test('finds the metering point by its number too, and says both', async () => {
    const own = await newIdentity()
    await city.accredit(own)
    const { issued } = resultOf(await send([lineOf(1, { claims: { gsrn, role: 'holder', from } })]))
    const { body } = await city.verify(issued[0]?.credential ?? '')
    expect(body).toMatchObject({ claims: { gsrn } })
  })

  test.each<[string, () => Partial<Lines[number]>, string]>([
    [
      'a metering point of somebody else',
      () => ({ claims: { metering_point: newId('mp'), role: 'holder', from } }),
      'metering-point-not-found',
    ],
    ['no metering point', () => ({ claims: { role: 'holder', from } }), 'metering-point-not-found'],
    [
      'two metering points at once',
      () => ({ claims: { gsrn: '707057500000000018', metering_point: point, role: 'holder', from } }),
      'invalid-credential',
    ],
    [
      'a role that there is not',
      () => ({ claims: { metering_point: point, role: 'king', from } }),
      'invalid-credential',
    ],
    [
      'a claim that the type does not have',
      () => ({ claims: { metering_point: point, role: 'holder', from, name: 'x' } }),
      'invalid-credential',
    ],
    ['a holder without a key', () => ({ holder: 'did:web:nowhere.example' }), 'did-not-found'],
    ['a holder of a method that is not known', () => ({ holder: 'did:example:abc' }), 'did-method-not-supported'],
    ['an end that is over', () => ({ expires: '2020-01-01T00:00:00Z' }), 'invalid-credential'],
    ['a holder with a key that is none', () => ({ holder: 'did:key:z6Mk' }), 'unsupported-algorithm'],
  ])('refuses a line with %s, and issues the others', async (_what, changes, code) => {
    const { issued, refused } = resultOf(await send([lineOf(1), lineOf(2, changes()), lineOf(3)]))
    expect(issued.map(({ line }) => line)).toEqual([1, 3])
    expect(refused).toMatchObject([{ line: 2, code }])
  })

  test('is for active utilities, of types that they issue, with each line once', async () => {
    const stranger = await newIdentity()
    expect((await send([lineOf(1)], { by: stranger })).body).toMatchObject({ code: 'untrusted-issuer' })
    expect((await send([lineOf(1)], { type: 'ConsentReceipt' })).body).toMatchObject({ code: 'role-required' })
    expect((await send([lineOf(1)], { type: 'OrganisationCredential', by: city.registrar })).status).toBe(403)
    expect((await send([lineOf(1), lineOf(1)])).body).toMatchObject({ code: 'invalid-request' })
    expect((await send([])).status).toBe(400)
    expect((await send([lineOf(1)], { run: 'run_x' })).status).toBe(400)
    const suspension = `/trust/organisations/${city.utility.did}/suspension`
    await city.call(organisation(city.registrar), 'POST', suspension)
    expect((await send([lineOf(1)])).body).toMatchObject({ code: 'party-not-active' })
    await city.call(organisation(city.registrar), 'DELETE', suspension)
  })
})

describe('a line that is sent again', () => {
  test('gives the same credential once more, which the log is told', async () => {
    const run = newId('run')
    const [first] = resultOf(await send([lineOf(7)], { run })).issued
    city.clock.now = new Date(city.clock.now.getTime() + 5_000)
    const [again] = resultOf(await send([lineOf(7), lineOf(8)], { run })).issued
    expect(again).toMatchObject({ line: 7, id: first?.id })
    const payloads = [first, again].map((one) =>
      JSON.parse(Buffer.from(one?.credential.split('.')[1] ?? '', 'base64url').toString()),
    )
    expect(payloads.map(({ iat, exp, status }) => ({ iat, exp, status }))).toEqual([
      { iat: payloads[0].iat, exp: payloads[0].exp, status: payloads[0].status },
      { iat: payloads[0].iat, exp: payloads[0].exp, status: payloads[0].status },
    ])
    expect((await city.verify(again?.credential ?? '')).body).toMatchObject({ verified: true, trusted: true })
    expect(await eventsOf(first?.id ?? '')).toEqual(['issued', 'issued'])
  })

  test('is another credential in another run', async () => {
    const [first] = resultOf(await send([lineOf(7)])).issued
    const [second] = resultOf(await send([lineOf(7)])).issued
    expect(second?.id).not.toBe(first?.id)
  })

  test('with another content is refused', async () => {
    const run = newId('run')
    await send([lineOf(7)], { run })
    const other = lineOf(7, { claims: { metering_point: point, role: 'co-occupant', from } })
    expect(resultOf(await send([other], { run })).refused).toMatchObject([{ line: 7, code: 'idempotency-conflict' }])
  })

  test('is refused once its credential is revoked', async () => {
    const run = newId('run')
    const [first] = resultOf(await send([lineOf(7)], { run })).issued
    await city.call(organisation(city.utility), 'POST', `/credentials/${first?.id}/revocation`)
    expect(resultOf(await send([lineOf(7)], { run })).refused).toMatchObject([{ line: 7, code: 'credential-revoked' }])
  })

  test('at the same time is issued once', async () => {
    const run = newId('run')
    const answers = await Promise.all(Array.from({ length: 6 }, () => send([lineOf(1), lineOf(2)], { run })))
    const issued = answers.flatMap(({ status, body }) => (status === 200 ? (body as CredentialBatchResult).issued : []))
    for (const line of [1, 2]) {
      expect(new Set(issued.filter((one) => one.line === line).map(({ id }) => id)).size).toBe(1)
    }
    const others = answers.filter(({ status }) => status !== 200)
    expect(others.every(({ body }) => body.code === 'conflict')).toBe(true)
    const rows = await city.db.selectFrom('credentials.bulk_lines').select('line').where('run', '=', run).execute()
    expect(rows).toHaveLength(2)
  })
})
