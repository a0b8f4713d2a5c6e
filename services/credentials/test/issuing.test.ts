import { toPublicJwk } from '@tillit/keys'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  addDevice,
  addHolder,
  credentialsIn,
  type Identity,
  newId,
  newIdentity,
  organisation,
  publicUrl,
  startCity,
  type TestCity,
} from './start-city.ts'

let city: TestCity
let wallet: Identity
beforeAll(async () => {
  city = await startCity()
  wallet = await newIdentity()
  await city.accredit(city.utility)
})
afterAll(() => city.stop())

describe('a person', () => {
  test('receives the entitlement to their metering point, from its utility, for their key', async () => {
    const { customer, point } = await addHolder(city, city.utility)
    const answer = await city.request(customer, 'MeteringPointEntitlement', wallet)
    expect(answer.status).toBe(200)
    const [credential = ''] = credentialsIn(answer)
    expect((await city.verify(credential)).body).toEqual({
      verified: true,
      format: 'dc+sd-jwt',
      issuer: city.utility.did,
      type: 'MeteringPointEntitlement',
      trusted: true,
      status: 'valid',
      claims: { gsrn: '707057500000000001', metering_point: point, role: 'holder', from: '2025-01-01T00:00:00.000Z' },
    })
    const payload = JSON.parse(Buffer.from(credential.split('.')[1] ?? '', 'base64url').toString())
    expect(payload.cnf.jwk).toEqual(toPublicJwk(wallet.signer.publicKey))
    expect(payload.sub).toBeUndefined()
  })

  test('who holds nothing receives nothing, and no other type', async () => {
    const customer = { kind: 'customer', id: newId('cust') } as const
    expect((await city.request(customer, 'MeteringPointEntitlement', wallet)).body).toMatchObject({
      code: 'metering-point-not-found',
    })
    expect((await city.request(customer, 'OrganisationCredential', wallet)).body).toMatchObject({
      code: 'role-required',
    })
  })

  test('whose utility is not accredited receives nothing', async () => {
    const { customer } = await addHolder(city, await newIdentity())
    expect((await city.request(customer, 'MeteringPointEntitlement', wallet)).body).toMatchObject({
      status: 403,
      code: 'party-not-active',
    })
  })
})

describe('a device', () => {
  test('receives its credential again for a key of its own', async () => {
    const device = await newIdentity()
    const { point } = await addHolder(city, city.utility)
    await addDevice(city, device, point)
    const claims = { model: 'M1', serial: 'S-1', metering_point: point }
    const jwk = toPublicJwk(device.signer.publicKey)
    const holder = { did: device.did, jwk }
    const enrolled = await city.credentials.issueCredential({ type: 'MeterDeviceCredential', holder, claims })
    expect((await city.verify(enrolled.credential)).body).toMatchObject({ verified: true, trusted: true, claims })
    const caller = { kind: 'device', id: device.did } as const
    const answer = await city.request(caller, 'MeterDeviceCredential', device, { header: { kid: device.keyId } })
    expect((await city.verify(credentialsIn(answer)[0] ?? '')).body).toMatchObject({ trusted: true, claims })
    const stolen = await city.request(caller, 'MeterDeviceCredential', wallet)
    expect(stolen.body).toMatchObject({ code: 'key-not-bound' })
    const foreign = await city.request(caller, 'MeterDeviceCredential', wallet, { header: { kid: wallet.keyId } })
    expect(foreign.body).toMatchObject({ code: 'key-not-bound' })
  })

  test('that nobody enrolled receives nothing', async () => {
    const device = await newIdentity()
    const caller = { kind: 'device', id: device.did } as const
    expect((await city.request(caller, 'MeterDeviceCredential', device)).body).toMatchObject({
      code: 'device-not-active',
    })
  })
})

test('an organisation receives its accreditation for its key', async () => {
  const adviser = await newIdentity()
  await city.accredit(adviser, { roles: ['eligible_party'] })
  const answer = await city.request(organisation(adviser), 'OrganisationCredential', adviser)
  expect((await city.verify(credentialsIn(answer)[0] ?? '')).body).toMatchObject({
    trusted: true,
    issuer: city.registrar.did,
  })
})

describe('a key proof', () => {
  test('with a nonce that was used is refused, also when both come at once', async () => {
    const { customer } = await addHolder(city, city.utility)
    const nonce = String((await city.call(null, 'POST', '/credentials/nonce')).body.c_nonce)
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => city.request(customer, 'MeteringPointEntitlement', wallet, { nonce })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400])
    const again = await city.request(customer, 'MeteringPointEntitlement', wallet, { nonce })
    expect(again.body).toMatchObject({ code: 'invalid-nonce' })
  })

  test('with a nonce older than five minutes is refused', async () => {
    const { customer } = await addHolder(city, city.utility)
    const nonce = String((await city.call(null, 'POST', '/credentials/nonce')).body.c_nonce)
    const before = city.clock.now
    city.clock.now = new Date(before.getTime() + 5 * 60_000)
    const late = await city.request(customer, 'MeteringPointEntitlement', wallet, { nonce })
    city.clock.now = before
    expect(late.body).toMatchObject({ code: 'invalid-nonce' })
  })

  test('with a nonce that we never gave is refused', async () => {
    const { customer } = await addHolder(city, city.utility)
    const answer = await city.request(customer, 'MeteringPointEntitlement', wallet, { nonce: 'made-up' })
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid-nonce' })
  })

  test.each([
    ['for another issuer', { audience: 'https://other.example' }],
    ['from an hour ago', { iat: 1_700_000_000 }],
    ['of another type', { typ: 'JWT' }],
    ['that shows no key', { jwk: undefined }],
    ['that shows two keys', { kid: 'did:example:1#key' }],
  ])('%s is refused', async (_, { audience, iat, ...changes }: Record<string, unknown>) => {
    const { customer } = await addHolder(city, city.utility)
    const answer = await city.request(customer, 'MeteringPointEntitlement', wallet, {
      header: { jwk: toPublicJwk(wallet.signer.publicKey), ...changes },
      ...(typeof audience === 'string' ? { audience } : {}),
      ...(typeof iat === 'number' ? { iat } : {}),
    })
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid-proof' })
  })

  test('signed by another key than it shows is refused', async () => {
    const { customer } = await addHolder(city, city.utility)
    const { signer } = await newIdentity()
    const answer = await city.request(customer, 'MeteringPointEntitlement', wallet, { signer })
    expect(answer.body).toMatchObject({ status: 401, code: 'invalid-signature' })
  })

  test('with a small-order key is refused', async () => {
    const { customer } = await addHolder(city, city.utility)
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from([1, ...new Uint8Array(31)]).toString('base64url') }
    const answer = await city.request(customer, 'MeteringPointEntitlement', wallet, { header: { jwk } })
    expect(answer.body).toMatchObject({ status: 400, code: 'weak-key' })
  })
})

test('receipts come from the authority and last for good', async () => {
  const holder = { did: wallet.did, jwk: toPublicJwk(wallet.signer.publicKey) }
  const { credential } = await city.credentials.issueCredential({
    type: 'RevocationReceipt',
    holder,
    claims: {
      record_id: newId('perm'),
      enforced_at: '2026-11-22T12:00:00Z',
      statement_sha256: 'abc',
      recipients_told: [],
    },
  })
  expect((await city.verify(credential)).body).toMatchObject({ trusted: true, issuer: city.authority.did })
  const payload = JSON.parse(Buffer.from(credential.split('.')[1] ?? '', 'base64url').toString())
  expect(payload.exp).toBeUndefined()
  expect(payload.status.status_list.uri).toContain(`${publicUrl}/credentials/status-lists/`)
})

test('claims that do not fit their type are not issued and nothing of them stays', async () => {
  const holder = { did: wallet.did, jwk: toPublicJwk(wallet.signer.publicKey) }
  await expect(
    city.credentials.issueCredential({ type: 'RevocationReceipt', holder, claims: { record_id: 'x' } }),
  ).rejects.toThrow(expect.objectContaining({ code: 'invalid-credential' }))
})
