import { fromBase64url } from '@tillit/codec'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { active, answer, asCustomer, authorityDid, buildCity, type City } from './city.fixture.ts'

let city: City
beforeAll(async () => {
  city = await buildCity()
})
afterAll(() => city.close())

const facts = (type: Parameters<City['service']['receiptFacts']>[0], { id } = city.customer) =>
  city.service.receiptFacts(type, { kind: 'customer', id })

test('what may be said in receipts again is what they said, for their customer only', async () => {
  const { permission: first } = await active(city)
  const { permission: second } = await active(city)
  const revocation = { statement: await answer(city, second.id, 'revoke') }
  const path = `/permissions/${second.id}/revocation`
  const { receipt } = (await city.call(asCustomer(city.customer), 'POST', path, { body: revocation })).body

  expect((await facts('ConsentReceipt')).map(({ resource }) => resource).sort()).toEqual([first.id, second.id].sort())
  const [revoked, ...others] = await facts('RevocationReceipt')
  expect(others).toEqual([])
  expect(revoked).toMatchObject({ resource: second.id, issuerDid: authorityDid })
  const [, payload = ''] = String(receipt).split('.')
  expect(JSON.parse(new TextDecoder().decode(fromBase64url(payload)))).toMatchObject(revoked?.claims ?? {})

  expect(await facts('ConsentReceipt', city.neighbour)).toEqual([])
  expect(await facts('MeteringPointEntitlement')).toEqual([])
  expect(await city.service.receiptFacts('ConsentReceipt', { kind: 'organisation', id: city.customer.id })).toEqual([])
})
