import { thumbprint } from '@tillit/keys'
import { childClaims, delegationType } from '@tillit/policy'
import type { Scope } from '@tillit/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Actor,
  accept,
  active,
  answer,
  asCustomer,
  ask,
  asOrganisation,
  buildCity,
  type City,
  sign,
} from './city.fixture.ts'

let city: City
let hops = 0
beforeAll(async () => {
  city = await buildCity()
})
afterAll(() => city.close())

const passOn = (parent: string, scope: Scope, { from, to, depth }: { from: Actor; to: Actor; depth: number }) => {
  const narrowed = { ...scope, delegation: { ...scope.delegation, max_depth: depth } }
  const audienceKey = thumbprint(to.signer.publicKey)
  const claims = childClaims({
    parent,
    audience: to.did,
    audienceKey,
    id: `hop-${++hops}`,
    scope: narrowed,
    now: city.clock.now,
  })
  return sign(delegationType, claims, from, true)
}
const register = (by: Actor, chain: string[]) =>
  city.call(asOrganisation(by), 'POST', '/delegations', { body: { chain } })
const evaluate = async (by: Actor, context: object = {}, subject: object = { type: 'did', id: by.did }) => {
  const body = {
    subject,
    action: { name: 'read' },
    resource: { type: 'metering_point', id: city.meteringPoint },
    context: { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z', ...context },
    extension: 'ignored',
  }
  return city.call(asOrganisation(by), 'POST', '/access/v1/evaluation', { body })
}

test('a permission is passed on twice, and taking back the first hop ends the second', async () => {
  const { permission, root } = await active(city)
  const { adviser, processor, laboratory } = city
  const first = await passOn(root, permission.requested_scope, { from: adviser, to: processor, depth: 1 })
  const daily = { ...permission.requested_scope, finest_granularity: 'P1D' }
  const second = await passOn(first, daily, { from: processor, to: laboratory, depth: 0 })

  const registered = await register(processor, [root, first, second])
  expect(registered).toMatchObject({
    status: 201,
    body: { delegator: processor.did, delegatee: laboratory.did, revoked: false, scope: { finest_granularity: 'P1D' } },
  })
  expect((await register(processor, [root, first, second])).body).toEqual(registered.body)
  expect(await evaluate(laboratory)).toMatchObject({
    body: { decision: true, context: { obligations: { granularity: 'P1D' } } },
  })
  expect(await evaluate(laboratory, { granularity: 'PT1H' })).toMatchObject({
    body: { decision: false, context: { reason_code: 'granularity' } },
  })
  const seen = await city.call(asCustomer(city.customer), 'GET', `/permissions/${permission.id}/delegations`)
  expect(seen.body.delegations).toHaveLength(2)

  const jti = `hop-${hops - 1}`
  expect(await city.call(asOrganisation(laboratory), 'POST', `/delegations/${jti}/revocation`)).toMatchObject({
    status: 404,
  })
  expect(await city.call(asOrganisation(adviser), 'POST', `/delegations/${jti}/revocation`)).toMatchObject({
    status: 200,
    body: { revoked: true },
  })
  for (const by of [processor, laboratory])
    expect(await evaluate(by)).toMatchObject({
      body: { decision: false, context: { reason_code: 'delegation-revoked' } },
    })
  expect(await evaluate(adviser)).toMatchObject({ body: { decision: true } })
})

test('nothing flows through a delegatee that may not act: whoever stands behind it waits with it', async () => {
  const { permission, root } = await active(city)
  const { adviser, processor, laboratory } = city
  const first = await passOn(root, permission.requested_scope, { from: adviser, to: processor, depth: 1 })
  const second = await passOn(first, permission.requested_scope, { from: processor, to: laboratory, depth: 0 })
  await register(adviser, [root, first, second])
  const credentials = city.database.connect<{ 'credentials.parties': { did: string; status: string } }>('credentials')
  const setStatus = (status: string) =>
    credentials.updateTable('credentials.parties').set({ status }).where('did', '=', processor.did).execute()
  await setStatus('SUSPENDED')
  for (const by of [processor, laboratory])
    expect(await evaluate(by, { granularity: 'PT1H' })).toMatchObject({
      body: { decision: false, context: { reason_code: 'party-not-active' } },
    })
  expect(await evaluate(adviser)).toMatchObject({ body: { decision: true } })
  const another = await passOn(root, permission.requested_scope, { from: adviser, to: processor, depth: 0 })
  expect(await register(adviser, [root, another])).toMatchObject({ status: 403, body: { code: 'party-not-active' } })
  await setStatus('ACTIVE')
  expect(await evaluate(laboratory, { granularity: 'PT1H' })).toMatchObject({ body: { decision: true } })
})

test('a revocation by the customer ends every delegation and tells every recipient', async () => {
  const { permission, root } = await active(city)
  const first = await passOn(root, permission.requested_scope, { from: city.adviser, to: city.processor, depth: 0 })
  await register(city.adviser, [root, first])
  const body = { statement: await answer(city, permission.id, 'revoke') }
  await city.call(asCustomer(city.customer), 'POST', `/permissions/${permission.id}/revocation`, { body })
  const obligations = await city.db
    .selectFrom('permissions.erasure_obligations')
    .select('recipient_did')
    .where('permission_id', '=', permission.id)
    .execute()
  expect(obligations.map(({ recipient_did }) => recipient_did).sort()).toEqual(
    [city.adviser.did, city.processor.did].sort(),
  )
  const paths = await city.db
    .selectFrom('permissions.path_v1')
    .select(['caller_did', 'state'])
    .where('permission_id', '=', permission.id)
    .execute()
  expect(paths.map(({ state }) => state)).toEqual(['REVOKED', 'REVOKED'])
  expect(await register(city.adviser, [root, first])).toMatchObject({ body: { code: 'invalid-transition' } })
})

test('a wider, foreign, unsigned-for or unknown delegation is refused', async () => {
  const { permission, root } = await active(city, { finest_granularity: 'P1D' })
  const { adviser, processor, laboratory } = city
  const scope = permission.scope ?? permission.requested_scope
  const good = await passOn(root, scope, { from: adviser, to: processor, depth: 0 })
  const wider = await passOn(root, permission.requested_scope, { from: adviser, to: processor, depth: 1 })
  expect(await register(adviser, [root, wider])).toMatchObject({
    status: 403,
    body: { code: 'scope-wider', reasons: ['finest_granularity'] },
  })
  const stolen = await passOn(root, scope, { from: laboratory, to: processor, depth: 0 })
  expect(await register(adviser, [root, stolen])).toMatchObject({
    body: { code: 'invalid-delegation', pointer: '/chain/1' },
  })
  expect(await register(laboratory, [root, good])).toMatchObject({ status: 404 })
  expect(await register(adviser, [good, good])).toMatchObject({
    body: { code: 'invalid-delegation', pointer: '/chain/0' },
  })
  const unaccepted = await ask(city)
  const forged = await accept(city, unaccepted)
  const child = await passOn(forged, unaccepted.requested_scope, { from: adviser, to: processor, depth: 0 })
  expect(await register(adviser, [forged, child])).toMatchObject({ body: { code: 'invalid-delegation' } })
})

test('the decision point answers for oneself, and for anyone to the utility of the metering point', async () => {
  const subject = { type: 'did', id: city.adviser.did }
  expect(await evaluate(city.processor, {}, subject)).toMatchObject({ status: 403, body: { code: 'access-denied' } })
  const { permission } = await active(city)
  expect(await evaluate(city.utility, {}, subject)).toMatchObject({ body: { decision: true } })
  expect(await evaluate(city.adviser)).toMatchObject({
    body: { decision: true, context: { authority: expect.stringMatching(/^perm_/) } },
  })
  expect(await evaluate(city.adviser, { from: '2024-12-31T00:00:00Z' })).toMatchObject({ body: { decision: false } })
  expect(await evaluate(city.adviser, { from: 'yesterday' })).toMatchObject({
    status: 400,
    body: { pointer: '/context/from' },
  })
  const own = {
    subject: { type: 'customer', id: city.customer.id },
    action: { name: 'read' },
    resource: { type: 'metering_point', id: city.meteringPoint },
  }
  expect(await city.call(asCustomer(city.customer), 'POST', '/access/v1/evaluation', { body: own })).toMatchObject({
    body: { decision: true, context: { authority: 'own-data' } },
  })
  expect(await city.call(asCustomer(city.neighbour), 'POST', '/access/v1/evaluation', { body: own })).toMatchObject({
    status: 403,
  })
  expect(permission.state).toBe('ACTIVE')
})
