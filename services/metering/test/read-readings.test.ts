import { fromBase64url, sha256, toHex, utf8 } from '@tillit/codec'
import { administer } from '@tillit/database'
import { commit } from '@tillit/log'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addParty, addPath, setState } from './stand-in-views.ts'
import {
  adviser,
  alice,
  bob,
  halfHours,
  permissionId,
  scopeFor,
  stranger,
  type TestCity,
  testCity,
  utility,
} from './test-city.ts'

let city: TestCity
let point: { id: string; gsrn: string }
const permission = permissionId('P')

beforeAll(async () => {
  city = await testCity()
  point = await city.point({ zone: 'Europe/London' })
  for (const from of ['2026-03-27T00:00:00Z', '2025-10-24T00:00:00Z'])
    await city.importInto(point.id, halfHours(from, 48 * 5))
  await addPath(city.database.url, {
    ...{ permission, party: adviser.id, point: point.id, customer: alice.id, scope: scopeFor(point.gsrn) },
  })
})
afterAll(() => city.stop())

interface Series {
  granularity: string
  access_record: string
  readings: { start: string; end: string; value: number; quality: string; coverage: number }[]
}
const spring = { from: '2026-03-27T00:00:00Z', to: '2026-03-31T23:00:00Z' }
function read(caller = adviser, query: Record<string, string> = {}, accept?: string, id = point.id) {
  const search = new URLSearchParams({ ...spring, ...query })
  return city.call(caller, 'GET', `/metering-points/${id}/readings?${search}`, undefined, accept)
}
const records = () =>
  city.db
    .selectFrom('metering.access_records')
    .selectAll()
    .orderBy('at')
    .where('metering_point_id', '=', point.id)
    .execute()

test('under a daily permission the party gets days, finer is refused, coarser is allowed', async () => {
  const daily = await read()
  const { granularity, readings } = daily.body as unknown as Series
  expect([daily.status, granularity]).toEqual([200, 'P1D'])
  expect(readings.map(({ value }) => value)).toEqual([48, 48, 46, 48, 48])
  for (const refused of ['PT1H', 'PT30M', 'PT15M'])
    expect(await read(adviser, { granularity: refused })).toMatchObject({
      status: 403,
      body: { code: 'access-denied', reasons: ['granularity'] },
    })
  expect((await read(adviser, { granularity: 'P1M' })).body.granularity).toBe('P1M')
  expect(await read(adviser, { granularity: 'PT60M' })).toMatchObject({
    status: 400,
    body: { code: 'invalid-granularity' },
  })
})

test('the days on which clocks change have 23 and 25 hours and one value each', async () => {
  const springDay = (await read()).body as unknown as Series
  expect(springDay.readings[2]).toMatchObject({ start: '2026-03-29T00:00:00Z', end: '2026-03-29T23:00:00Z', value: 46 })
  const autumn = await read(adviser, { from: '2025-10-23T23:00:00Z', to: '2025-10-28T00:00:00Z' })
  const october26 = (autumn.body as unknown as Series).readings.find(({ start }) => start === '2025-10-25T23:00:00Z')
  expect(october26).toMatchObject({ end: '2025-10-27T00:00:00Z', value: 50, coverage: 1 })
})

test('windows that are cut by the edges or not over yet are left out', async () => {
  const cut = await read(adviser, { from: '2026-03-27T00:30:00Z', to: '2026-03-29T22:30:00Z' })
  expect((cut.body as unknown as Series).readings.map(({ start }) => start)).toEqual(['2026-03-28T00:00:00Z'])
  await city.importInto(point.id, halfHours('2026-06-14T23:00:00Z', 20))
  const today = await read(adviser, { from: '2026-06-14T23:00:00Z', to: '2026-06-15T23:00:00Z' })
  expect(today).toMatchObject({ status: 200, body: { readings: [] } })
  const own = { from: '2026-06-14T23:00:00Z', to: '2026-06-15T23:00:00Z', granularity: 'P1D' }
  expect(await read(alice, own)).toMatchObject({ status: 200, body: { readings: [] } })
})

test('a day that is delivered bit by bit is shown to others when it is whole, never as it grows', async () => {
  const query = { from: '2026-02-02T00:00:00Z', to: '2026-02-04T00:00:00Z' }
  const daysOf = async (caller: typeof adviser) =>
    ((await read(caller, { ...query, granularity: 'P1D' })).body as unknown as Series).readings.map(
      ({ value, coverage }) => [value, coverage],
    )
  await city.importInto(point.id, halfHours('2026-02-03T00:00:00Z', 24))
  expect(await daysOf(adviser)).toEqual([])
  expect(await daysOf(alice)).toEqual([[24, 0.5]])
  await city.importInto(point.id, halfHours('2026-02-03T12:00:00Z', 24))
  expect(await daysOf(adviser)).toEqual([[48, 1]])
})

test('the customer reads their own data as it is stored', async () => {
  const own = await read(alice)
  const series = own.body as unknown as Series
  expect(series.granularity).toBe('PT30M')
  expect(series.readings).toHaveLength(48 * 5 - 2)
  expect(await read(alice, { granularity: 'PT15M' })).toMatchObject({
    status: 400,
    body: { code: 'invalid-granularity' },
  })
})

test('whoever has no path hears the same, whether or not the point exists', async () => {
  const outside = await read(stranger)
  const nowhere = await read(stranger, {}, undefined, `mp_${'z'.repeat(22)}`)
  for (const { status, body } of [outside, nowhere, await read(bob), await read(utility)]) {
    expect([status, body.code, body.reasons, body.detail]).toEqual([
      403,
      'access-denied',
      ['no-permission'],
      outside.body.detail,
    ])
  }
})

test.each([
  ['a purpose that was not allowed', { purpose: 'marketing' }, 'purpose'],
  ['another direction', { direction: 'production' }, 'direction'],
  ['a period outside', { from: '2024-06-01T00:00:00Z' }, 'period'],
])('%s is refused with its reason', async (_, query, reason) => {
  expect(await read(adviser, query)).toMatchObject({ status: 403, body: { reasons: [reason] } })
})

test.each([
  ['lost its accreditation for the purpose', `purposes = '{billing}'`, 'not-accredited'],
  ['is no eligible party any more', `roles = '{auditor}'`, 'not-accredited'],
  ['moved to a country that was not allowed', `country = 'US'`, 'countries'],
])('a party that %s reads nothing', async (_, change, reason) => {
  const update = (what: string) =>
    administer(city.database.url, `update credentials.party_v1 set ${what} where did = '${adviser.id}'`)
  await update(change)
  try {
    expect(await read(adviser)).toMatchObject({ status: 403, body: { reasons: [reason] } })
  } finally {
    await update(`purposes = '{energy-advice}', roles = '{eligible_party}', country = 'NO'`)
  }
  expect(await read(adviser)).toMatchObject({ status: 200 })
})

test('every decision has its record: digest of the exact bytes, and a receipt that opens the leaf', async () => {
  const permitted = await read()
  const { access_record: id } = permitted.body as unknown as Series
  const record = await city.call(alice, 'GET', `/access-records/${id}`)
  expect(record.body).toMatchObject({
    caller: adviser.id,
    caller_name: `Name of ${adviser.id}`,
    ...{ decision: 'permit', authority: permission, determined_by: [permission], granularity: 'P1D', values: 5 },
    response_sha256: toHex(sha256(utf8(permitted.text))),
  })
  const receipt = await city.call(alice, 'GET', `/access-records/${id}/receipt`)
  const { salt, entry, commitment } = receipt.body as { salt: string; entry: object; commitment: string }
  expect(entry).toEqual(record.body)
  expect(toHex(commit(fromBase64url(salt), entry))).toBe(commitment)
  const { rows } = await sql<{ kind: string }>`
    SELECT kind FROM metering.outbox WHERE commitment = ${Buffer.from(commitment, 'hex')}`.execute(city.db)
  expect(rows).toEqual([{ kind: 'access-record' }])
  expect((await city.call(adviser, 'GET', `/access-records/${id}/receipt`)).status).toBe(200)
  expect((await city.call(stranger, 'GET', `/access-records/${id}`)).status).toBe(404)
  expect((await city.call(bob, 'GET', `/access-records/${id}/receipt`)).status).toBe(404)

  await read(adviser, { granularity: 'PT15M' })
  const denied = (await city.call(alice, 'GET', '/access-records?limit=1')).body as {
    access_records: object[]
    next: string
  }
  expect(denied.access_records).toHaveLength(1)
  const all = (await city.call(alice, 'GET', `/access-records?caller=${encodeURIComponent(adviser.id)}`)).body
  expect(all.access_records).toContainEqual(
    expect.objectContaining({ decision: 'deny', reason_code: 'granularity', response_sha256: null, values: 0 }),
  )
})

test('pages of records hold each record once, newest first', async () => {
  const seen: { id: string; at: string }[] = []
  let after = ''
  for (;;) {
    const url = `/access-records?limit=3&metering_point=${point.id}${after}`
    const page = (await city.call(alice, 'GET', url)).body as {
      access_records: { id: string; at: string }[]
      next?: string
    }
    seen.push(...page.access_records)
    if (page.next === undefined) break
    after = `&after=${page.next}`
  }
  expect(seen).toHaveLength((await records()).length)
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length)
})

test('the same series as CSV, and nothing else', async () => {
  const csv = await read(adviser, {}, 'text/csv')
  expect(csv.headers['content-type']).toContain('text/csv')
  const lines = csv.text.trimEnd().split('\r\n')
  expect(lines[0]).toBe('start,end,value,quality,coverage')
  expect(lines[3]).toBe('2026-03-29T00:00:00Z,2026-03-29T23:00:00Z,46,measured,1')
  expect(await read(adviser, {}, 'image/png')).toMatchObject({ status: 406, body: { code: 'not-acceptable' } })
})

test('a state other than ACTIVE denies, also inside its window', async () => {
  const outcomes: unknown[] = []
  for (const state of ['SUSPENDED', 'REVOKED', 'TERMINATED', 'WAITING_FOR_START']) {
    await setState(city.database.url, permission, state)
    const { status, body } = await read()
    outcomes.push([status, body.reasons])
  }
  await setState(city.database.url, permission, 'ACTIVE')
  expect(outcomes).toEqual([
    [403, ['suspended']],
    [403, ['revoked']],
    [403, ['not-active']],
    [403, ['not-started']],
  ])
  expect((await read()).status).toBe(200)
})

test('after a move the next occupant sees nothing of before, and the permission does not follow the meter', async () => {
  const flat = await city.point({ zone: 'Europe/London' })
  await city.importInto(flat.id, halfHours(spring.from, 48 * 5))
  await addPath(city.database.url, {
    ...{
      permission: permissionId('M'),
      party: adviser.id,
      point: flat.id,
      customer: alice.id,
      scope: scopeFor(flat.gsrn),
    },
  })
  const path = `/metering-points/${flat.id}/entitlements`
  const moved = '2026-03-29T23:00:00Z'
  await city.call(utility, 'POST', `${path}/end`, { customer: alice.id, to: moved })
  await city.call(utility, 'POST', path, { customer: bob.id, role: 'holder', from: moved })
  const at = (caller: typeof alice, from: string, to: string) => read(caller, { from, to }, undefined, flat.id)
  expect((await at(alice, spring.from, moved)).status).toBe(200)
  expect((await at(bob, moved, spring.to)).status).toBe(200)
  expect(await at(bob, spring.from, spring.to)).toMatchObject({ body: { reasons: ['not-theirs-then'] } })
  expect((await at(adviser, spring.from, moved)).status).toBe(200)
  expect(await at(adviser, moved, spring.to)).toMatchObject({ status: 403, body: { reasons: ['not-theirs-then'] } })
  const bobs = (await city.call(bob, 'GET', `/access-records?metering_point=${flat.id}`)).body
  for (const record of bobs.access_records as { to: string }[])
    expect(Date.parse(record.to)).toBeGreaterThan(Date.parse(moved))
})

test.each([
  ['the disk is full', `raise exception 'no room' using errcode = '53100'`, 507, 'storage-full'],
  [
    'the database dies before the commit',
    'perform pg_terminate_backend(pg_backend_pid())',
    503,
    'database-unavailable',
  ],
])('when %s no data leaves, and neither record nor leaf is left behind', async (_, fault, status, code) => {
  const counts = async () => [
    (await records()).length,
    (await sql<{ n: number }>`SELECT count(*) AS n FROM metering.outbox`.execute(city.db)).rows[0]?.n,
  ]
  const before = await counts()
  const { url } = city.database
  await administer(
    url,
    `create or replace function metering.fail() returns trigger language plpgsql security definer as $$ begin ${fault}; return null; end $$`,
  )
  await administer(
    url,
    'create trigger fail after insert on metering.outbox for each row execute function metering.fail()',
  )
  try {
    const failed = await read()
    expect(failed).toMatchObject({ status, body: { code } })
    expect(failed.text).not.toContain('"value"')
  } finally {
    await administer(url, 'drop trigger fail on metering.outbox')
  }
  expect(await counts()).toEqual(before)
  expect((await read()).status).toBe(200)
})

test('a delegatee reads on its own path until the delegation is revoked', async () => {
  const delegation = { permission, party: adviser.id, caller: stranger.id, point: point.id, customer: alice.id }
  await addPath(city.database.url, { ...delegation, scope: scopeFor(point.gsrn, { finest_granularity: 'P1M' }) })
  expect(await read(stranger)).toMatchObject({ status: 200, body: { granularity: 'P1M', readings: [] } })
  expect(await read(stranger, { granularity: 'P1D' })).toMatchObject({
    status: 403,
    body: { reasons: ['granularity'] },
  })
  await administer(
    city.database.url,
    `update permissions.path_v1 set delegation_revoked = true where caller_did = '${stranger.id}'`,
  )
  expect(await read(stranger)).toMatchObject({ status: 403, body: { reasons: ['delegation-revoked'] } })
  expect((await read()).status).toBe(200)
})

test('a delegatee reads nothing through one that was suspended', async () => {
  const [between, last] = ['did:key:between', 'did:key:last']
  const caller = { kind: 'organisation' as const, id: last }
  await addParty(city.database.url, between, ['eligible_party'])
  await addParty(city.database.url, last, ['eligible_party'])
  await addPath(city.database.url, {
    ...{ permission, party: adviser.id, intermediaries: [between], caller: last, point: point.id, customer: alice.id },
    scope: scopeFor(point.gsrn),
  })
  expect((await read(caller)).status).toBe(200)
  await administer(city.database.url, `update credentials.party_v1 set status = 'SUSPENDED' where did = '${between}'`)
  expect(await read(caller)).toMatchObject({ status: 403, body: { reasons: ['party-not-active'] } })
})

test('a day of 25 hours that was delivered as one value is a day', async () => {
  const flat = await city.point({ zone: 'Europe/London' })
  const long = { start: '2025-10-25T23:00:00Z', duration_seconds: 90_000, value: 50, quality: 'measured' as const }
  await city.importInto(flat.id, [long])
  const query = { from: '2025-10-25T23:00:00Z', to: '2025-10-27T00:00:00Z' }
  expect(await read(alice, query, undefined, flat.id)).toMatchObject({ status: 200, body: { granularity: 'P1D' } })
  const days = await read(alice, { ...query, granularity: 'P1D' }, undefined, flat.id)
  expect((days.body as unknown as Series).readings.map(({ value }) => value)).toEqual([50])
})

test('a period that is upside down or too long is refused', async () => {
  expect(await read(adviser, { to: '2026-03-01T00:00:00Z' })).toMatchObject({
    status: 400,
    body: { code: 'invalid-interval' },
  })
  expect(await read(adviser, { from: '2001-01-01T00:00:00Z' })).toMatchObject({
    status: 400,
    body: { code: 'invalid-interval' },
  })
})

test('a read of more readings than are fetched with the decision gives them all', async () => {
  const long = await city.point({ zone: 'UTC' })
  await city.importInto(long.id, halfHours('2026-02-01T00:00:00Z', 48 * 28))
  const month = { from: '2026-02-01T00:00:00Z', to: '2026-03-01T00:00:00Z' }
  const values = async (granularity: string) => {
    const series = (await read(alice, { ...month, granularity }, undefined, long.id)).body as unknown as Series
    return series.readings.map(({ value }) => value)
  }
  expect(await values('PT30M')).toEqual(Array.from({ length: 48 * 28 }, () => 1))
  expect(await values('P1D')).toEqual(Array.from({ length: 28 }, () => 48))
})
