import { randomBytes } from 'node:crypto'
import { administer } from '@tillit/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { revokeEndedEntitlements } from '../src/revoke-ended-entitlements.ts'
import { createStore } from '../src/store.ts'
import { credentialsIn, newIdentity, publicUrl, startCity, type TestCity } from './start-city.ts'
import { addWallet, ask, type Wallet } from './wallet-requests.ts'

let city: TestCity
beforeAll(async () => {
  city = await startCity()
  await city.accredit(city.utility)
})
afterAll(() => city.stop())

const sweep = () =>
  revokeEndedEntitlements({
    store: createStore(city.db),
    now: () => city.clock.now,
    publicUrl,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    authorityDid: city.authority.did,
  })
const end = (point: string, minutes: number) =>
  administer(
    city.database.url,
    `update metering.entitlement_v1 set valid_to = '${new Date(city.clock.now.getTime() + minutes * 60_000).toISOString()}'
     where metering_point_id = '${point}'`,
  )

async function entitled(): Promise<{ wallet: Wallet; point: string; statusNow: () => Promise<unknown> }> {
  const { wallet, point } = await addWallet(city)
  const [credential = ''] = credentialsIn(await ask(city, wallet, await newIdentity()))
  return { wallet, point, statusNow: async () => (await city.verify(credential)).body.status }
}

test('whoever moved out has an entitlement no more, and nobody else loses theirs', async () => {
  const [left, leaving, stays, back] = [await entitled(), await entitled(), await entitled(), await entitled()]
  await end(left.point, -1)
  await end(leaving.point, 1)
  await end(back.point, -60)
  await administer(
    city.database.url,
    `insert into metering.entitlement_v1 (metering_point_id, customer_id, role, valid_from)
     values ('${back.point}', '${back.wallet.id}', 'holder', '${new Date(city.clock.now.getTime() - 60_000).toISOString()}')`,
  )
  const states = () => Promise.all([left, leaving, stays, back].map(({ statusNow }) => statusNow()))
  expect(await states()).toEqual(['valid', 'valid', 'valid', 'valid'])
  expect(await sweep()).toBe(1)
  expect(await states()).toEqual(['revoked', 'valid', 'valid', 'valid'])

  city.clock.now = new Date(city.clock.now.getTime() + 60_000)
  expect(await sweep()).toBe(1)
  expect(await states()).toEqual(['revoked', 'revoked', 'valid', 'valid'])
  expect(await sweep()).toBe(0)
})
