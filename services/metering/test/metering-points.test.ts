import { afterAll, beforeAll, expect, test } from 'vitest'
import { addPath } from './stand-in-views.ts'
import {
  adviser,
  alice,
  bob,
  halfHours,
  newGsrn,
  otherUtility,
  permissionId,
  scopeFor,
  stranger,
  type TestCity,
  testCity,
  utility,
} from './test-city.ts'

let city: TestCity
beforeAll(async () => {
  city = await testCity()
})
afterAll(() => city.stop())

const registration = (gsrn: string, change: object = {}) => ({
  ...{ gsrn, grid_area: 'NO1', time_zone: 'Europe/Oslo', ...change },
})
const register = (body: object, as = utility) => city.call(as, 'POST', '/metering-points', body)

test('a metering point is registered once; the same again gives the same', async () => {
  const gsrn = newGsrn(901)
  const first = await register(registration(gsrn))
  expect(first).toMatchObject({ status: 201, body: { gsrn, utility: utility.id } })
  expect(first.body.id).toMatch(/^mp_/)
  expect((await register(registration(gsrn))).body).toEqual(first.body)
  expect(await register(registration(gsrn, { grid_area: 'NO2' }))).toMatchObject({
    status: 409,
    body: { code: 'conflict' },
  })
  expect(await register(registration(gsrn), otherUtility)).toMatchObject({ status: 409 })
})

test.each([
  ['a wrong check digit', { gsrn: '707057500000000002' }, 'invalid-gsrn', /check digit/],
  ['a letter', { gsrn: '70705750000000000x' }, 'invalid-request', /pattern/],
  ['a zone that does not exist', { time_zone: 'Europe/Atlantis' }, 'invalid-time-zone', /IANA/],
  ['a member that is not known', { colour: 'red' }, 'unknown-field', /colour/],
])('a registration with %s is refused', async (_, change, code, detail) => {
  const { status, body } = await register(registration(newGsrn(902), change))
  expect([status, body.code]).toEqual([400, code])
  expect(body.detail).toMatch(detail)
})

test('only an accredited utility registers', async () => {
  expect(await register(registration(newGsrn(903)), adviser)).toMatchObject({
    status: 403,
    body: { code: 'role-required' },
  })
  const unknown = { kind: 'organisation', id: 'did:web:nobody.example' } as const
  expect(await register(registration(newGsrn(903)), unknown)).toMatchObject({ body: { code: 'party-not-active' } })
  expect(await register(registration(newGsrn(903)), alice)).toMatchObject({ status: 403 })
})

test('a point has one holder at a time; the next one follows after the end', async () => {
  const { id } = await city.point({ customer: alice.id, from: '2025-01-01T00:00:00Z' })
  const path = `/metering-points/${id}/entitlements`
  const entitle = (customer: string, from: string, role = 'holder') =>
    city.call(utility, 'POST', path, { customer, role, from })
  const again = await entitle(alice.id, '2025-01-01T00:00:00Z')
  expect(again).toMatchObject({ status: 201, body: { to: null } })
  expect(await entitle(bob.id, '2025-06-01T00:00:00Z')).toMatchObject({ status: 409 })
  expect(await entitle(bob.id, '2025-06-01T00:00:00Z', 'co-occupant')).toMatchObject({ status: 201 })
  const end = { customer: alice.id, to: '2025-09-01T00:00:00Z' }
  expect(await city.call(utility, 'POST', `${path}/end`, end)).toMatchObject({
    status: 200,
    body: { from: '2025-01-01T00:00:00.000Z', to: '2025-09-01T00:00:00.000Z' },
  })
  expect((await city.call(utility, 'POST', `${path}/end`, end)).status).toBe(200)
  expect(await entitle(alice.id, '2025-08-01T00:00:00Z')).toMatchObject({ status: 409 })
  const foreign = await city.call(otherUtility, 'POST', path, { customer: bob.id, role: 'holder', from: end.to })
  expect(foreign).toMatchObject({ status: 404, body: { code: 'metering-point-not-found' } })
})

test('each caller lists what concerns them: numbers for those who know them, pages for utilities', async () => {
  const { id, gsrn } = await city.point({ customer: bob.id })
  const list = async (caller: typeof utility, query = '') =>
    (await city.call(caller, 'GET', `/metering-points${query}`)).body as {
      metering_points: { id: string; gsrn?: string }[]
      next?: string
    }
  expect((await list(bob)).metering_points).toContainEqual(expect.objectContaining({ id, gsrn }))
  expect((await list(stranger)).metering_points).toEqual([])
  await addPath(city.database.url, {
    ...{ permission: permissionId('L'), party: stranger.id, point: id, customer: bob.id, scope: scopeFor(gsrn) },
  })
  const [permitted] = (await list(stranger)).metering_points
  expect(permitted).toMatchObject({ id, utility: utility.id })
  expect(permitted).not.toHaveProperty('gsrn')

  const seen: string[] = []
  let next: string | undefined = ''
  while (next !== undefined) {
    const page = await list(utility, `?limit=2&after=${next}`)
    expect(page.metering_points.length).toBeLessThanOrEqual(2)
    seen.push(...page.metering_points.map((point) => point.id))
    next = page.next
  }
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen).toContain(id)
})

test('another utility can do nothing to a point: for it there is none', async () => {
  const { id } = await city.point()
  const device = await city.device(id)
  const readings = halfHours('2026-01-01T00:00:00Z', 2)
  const at = `/metering-points/${id}`
  const deeds: [string, object?][] = [
    [`${at}/imports`, { product: 'active_energy', direction: 'consumption', unit: 'W.h', readings }],
    [`${at}/entitlements`, { customer: bob.id, role: 'co-occupant', from: '2026-01-01T00:00:00Z' }],
    [`${at}/entitlements/end`, { customer: alice.id, to: '2026-01-01T00:00:00Z' }],
    ['/devices', { did: 'did:key:z6Mk', metering_point: id, model: 'M1', serial: '1' }],
    [`/devices/${encodeURIComponent(device.did)}/quarantine`],
  ]
  for (const [path, body] of deeds)
    expect([path, (await city.call(otherUtility, 'POST', path, body)).status]).toEqual([path, 404])
})

test('an import is idempotent, and names what it refuses', async () => {
  const { id } = await city.point()
  expect(await city.importInto(id, halfHours('2026-03-01T00:00:00Z', 48))).toMatchObject({
    status: 200,
    body: { stored: 48, duplicates: 0, refused: [] },
  })
  expect((await city.importInto(id, halfHours('2026-03-01T00:00:00Z', 50))).body).toMatchObject({
    stored: 2,
    duplicates: 48,
  })
  const conflicting = [...halfHours('2026-03-02T00:30:00Z', 1, 9), ...halfHours('2026-03-02T01:00:00Z', 1)]
  expect((await city.importInto(id, conflicting)).body).toMatchObject({
    stored: 1,
    refused: [{ index: 0, code: 'conflicting-reading' }],
  })
})

test.each([
  ['the future', halfHours('2026-06-15T12:00:00Z', 1)],
  ['a negative energy', halfHours('2026-06-01T00:00:00Z', 1, -1)],
  ['disorder', halfHours('2026-06-01T00:00:00Z', 2).reverse()],
])('an import with %s is refused and stores nothing', async (_, readings) => {
  const { id } = await city.point()
  expect(await city.importInto(id, readings)).toMatchObject({ status: 400, body: { code: 'invalid-reading' } })
})

test('a device is enrolled with a key that is strong and resolves', async () => {
  const { id } = await city.point()
  const device = await city.device(id)
  const enrolment = { did: device.did, metering_point: id, model: 'M1', serial: 'another' }
  expect(await city.call(utility, 'POST', '/devices', enrolment)).toMatchObject({ status: 409 })
  const unknown = { ...enrolment, did: 'did:web:no-device.example' }
  expect(await city.call(utility, 'POST', '/devices', unknown)).toMatchObject({
    status: 404,
    body: { code: 'did-not-found' },
  })

  const weak = 'did:web:weak-device.example'
  city.documents.set(weak, {
    id: weak,
    verificationMethod: [
      {
        id: `${weak}#key`,
        type: 'JsonWebKey2020',
        controller: weak,
        publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
      },
    ],
    assertionMethod: [`${weak}#key`],
  })
  expect(await city.call(utility, 'POST', '/devices', { ...enrolment, did: weak })).toMatchObject({
    status: 400,
    body: { code: 'weak-key' },
  })
  expect(await city.call(otherUtility, 'POST', '/devices', enrolment)).toMatchObject({ status: 404 })
})
