import { afterAll, beforeAll, expect, test } from 'vitest'
import { accept, active, asCustomer, ask, asOrganisation, buildCity, type City } from './city.fixture.ts'

let city: City
beforeAll(async () => {
  city = await buildCity()
})
afterAll(() => city.close())

const stateOf = async (id: string) =>
  (await city.call(asOrganisation(city.adviser), 'GET', `/permissions/${id}`)).body.state
const passTime = async (now: string) => {
  city.clock.now = new Date(now)
  await city.service.start()
  await city.service.stop()
}

test('time begins, ends and gives up on permissions', async () => {
  const waiting = await ask(city)
  const ending = await active(city, { expires: '2026-03-20T00:00:00Z' })
  const future = await active(city, { period: { from: '2026-03-10T00:00:00Z', to: '2027-01-01T00:00:00Z' } })
  const ids = [waiting.id, ending.permission.id, future.permission.id]
  const states = () => Promise.all(ids.map(stateOf))
  expect(await states()).toEqual(['SENT_TO_PERMISSION_ADMINISTRATOR', 'ACTIVE', 'WAITING_FOR_START'])
  await passTime('2026-03-10T00:00:00Z')
  expect(await states()).toEqual(['SENT_TO_PERMISSION_ADMINISTRATOR', 'ACTIVE', 'ACTIVE'])
  await passTime('2026-03-15T12:00:00Z')
  expect(await states()).toEqual(['TIMED_OUT', 'ACTIVE', 'ACTIVE'])
  await passTime('2026-03-20T00:00:00Z')
  expect(await states()).toEqual(['TIMED_OUT', 'EXPIRED', 'ACTIVE'])
  const obligations = await city.db.selectFrom('permissions.erasure_obligations').selectAll().execute()
  expect(obligations).toMatchObject([{ permission_id: ending.permission.id, due_at: new Date('2026-04-19T00:00:00Z') }])
})

test('a request that has timed out cannot be accepted, written down or not', async () => {
  const asked = await ask(city)
  city.clock.now = new Date(city.clock.now.getTime() + 14 * 86_400_000)
  const body = { statement: await accept(city, asked) }
  const reply = await city.call(asCustomer(city.customer), 'POST', `/permissions/${asked.id}/acceptance`, { body })
  expect(reply).toMatchObject({ status: 409, body: { code: 'invalid-transition' } })
})

test('the party ends its own permission once and for all', async () => {
  const { permission } = await active(city)
  const path = `/permissions/${permission.id}/termination`
  expect(await city.call(asOrganisation(city.adviser), 'POST', path)).toMatchObject({ body: { state: 'TERMINATED' } })
  expect(await city.call(asOrganisation(city.adviser), 'POST', path)).toMatchObject({ body: { state: 'TERMINATED' } })
})
