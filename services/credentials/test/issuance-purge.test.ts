import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStore } from '../src/store.ts'
import { newId, newIdentity, organisation, startCity, type TestCity } from './start-city.ts'
import { addWallet, ask, forEntitlement } from './wallet-requests.ts'

let city: TestCity
beforeAll(async () => {
  city = await startCity()
  await city.accredit(city.utility)
})
afterAll(() => city.stop())

const later = (days: number) => new Date(city.clock.now.getTime() + days * 24 * 3600_000)
const purge = (now: Date, offersExpiredBefore: Date) =>
  createStore(city.db).write((writer) => writer.purgeIssuance({ now, offersExpiredBefore }))

async function offerTo(holder: string): Promise<string> {
  const body = { holder, configuration_ids: ['MeteringPointEntitlement'], expires_in: 60 }
  return String((await city.call(organisation(city.utility), 'POST', '/openid4vci/offers', body)).body.id)
}

const kept = async () =>
  (await city.db.selectFrom('credentials.offers').select('id').execute()).map(({ id }) => id).sort()

test('offers go when they expired long enough ago, and keys that were proven for nothing after two weeks', async () => {
  const customer = newId('cust')
  const [idle, awaited] = [await offerTo(newId('cust')), await offerTo(customer)]
  const wallet = { ...forEntitlement(customer), offer: awaited }
  expect((await ask(city, wallet, await newIdentity())).status).toBe(202)

  await purge(city.clock.now, city.clock.now)
  expect(await kept()).toEqual([idle, awaited].sort())
  // What a wallet still waits for keeps its offer.
  await purge(later(13), later(13))
  expect(await kept()).toEqual([awaited])
  await purge(later(14), later(14))
  expect(await kept()).toEqual([])
  expect(await city.db.selectFrom('credentials.deferred_issuances').selectAll().execute()).toEqual([])
})

test('a wallet has 90 days to tell what became of its credentials; then nothing is kept of what it told', async () => {
  const { wallet } = await addWallet(city)
  const { notification_id } = (await ask(city, wallet, await newIdentity())).body
  const tell = () =>
    city.call(wallet, 'POST', '/openid4vci/notification', { notification_id, event: 'credential_accepted' })
  await purge(later(89), city.clock.now)
  expect((await tell()).status).toBe(204)
  await purge(later(90), city.clock.now)
  expect((await tell()).body).toMatchObject({ error: 'invalid_notification_id' })
  expect(await city.db.selectFrom('credentials.notification_events').selectAll().execute()).toEqual([])
})
