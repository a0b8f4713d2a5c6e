import { verifyCredential } from '@tillit/credential'
import { administer } from '@tillit/database'
import { didJwkFor } from '@tillit/did'
import { type Signer, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  addDevice,
  addHolder,
  credentialsIn,
  type Identity,
  newId,
  newIdentity,
  organisation,
  startCity,
  type TestCity,
} from './start-city.ts'
import type { IssuanceOptions } from './test-issuance.ts'
import {
  addWallet,
  ask,
  askFor,
  decode,
  forEntitlement,
  freshNonce,
  identifierOf,
  jwtProof,
  keyAttestation,
  type Wallet,
} from './wallet-requests.ts'

/** What the service that keeps permissions would say. */
const receipts: { holder: string; resource: string; claims: Record<string, unknown>; issuerDid: string }[] = []

function outage(): never {
  throw new Problem('database-unavailable')
}

let city: TestCity
let key: Identity
let attester: Signer
beforeAll(async () => {
  attester = (await newIdentity()).signer
  const keyAttesters = { keys: new Map([['attester', attester.publicKey]]), certificates: [], required: false }
  const factsOf: IssuanceOptions['factsOf'] = async (type, { id }) =>
    type === 'RevocationReceipt' ? receipts.filter(({ holder }) => holder === id) : outage()
  city = await startCity({ keyAttesters, factsOf })
  key = await newIdentity()
  await city.accredit(city.utility)
})
afterAll(() => city.stop())

function boundKeyOf(credential: string): unknown {
  return (decode(credential).payload.cnf as { jwk: unknown }).jwk
}

function statusOf(credential: string): unknown {
  return (decode(credential).payload.status as { status_list: unknown }).status_list
}

describe('a wallet with a token for a credential', () => {
  test('receives it, bound to the key that it proved, and may tell what became of it', async () => {
    const { wallet, point } = await addWallet(city)
    const answer = await ask(city, wallet, key)
    expect(answer.headers['cache-control']).toBe('no-store')
    const [credential = '', ...others] = credentialsIn(answer)
    expect(others).toEqual([])
    expect(boundKeyOf(credential)).toEqual(toPublicJwk(key.signer.publicKey))
    expect((await city.verify(credential)).body).toMatchObject({
      trusted: true,
      issuer: city.utility.did,
      claims: { metering_point: point, role: 'holder' },
    })
    expect(answer.body.notification_id).toMatch(/^[\w-]{43}$/)
  })

  test('receives a batch: one for each key, all about the same and none like another', async () => {
    const { wallet, point } = await addWallet(city)
    const keys = await Promise.all([1, 2, 3].map(newIdentity))
    const nonce = await freshNonce(city)
    const jwt = await Promise.all(keys.map((one) => jwtProof(city, one, nonce)))
    const credentials = credentialsIn(
      await askFor(city, wallet, { credential_identifier: identifierOf(wallet), proofs: { jwt } }),
    )
    expect(credentials.map(boundKeyOf)).toEqual(keys.map((one) => toPublicJwk(one.signer.publicKey)))
    expect(new Set(credentials.map((credential) => JSON.stringify(statusOf(credential)))).size).toBe(3)
    for (const credential of credentials) {
      const { iat, exp } = decode(credential).payload
      expect([Number(iat) % 3600, Number(exp) % 3600], 'no time that only these three have').toEqual([0, 0])
    }
    for (const credential of credentials) {
      expect((await city.verify(credential)).body.claims).toMatchObject({ metering_point: point })
    }
  })

  test('does not get one that has ended already, where the entitlement ends within the hour', async () => {
    const { wallet, point } = await addWallet(city)
    const end = new Date(city.clock.now.getTime() + 1000)
    await administer(
      city.database.url,
      `update metering.entitlement_v1 set valid_to = '${end.toISOString()}' where metering_point_id = '${point}'`,
    )
    const [credential = ''] = credentialsIn(await ask(city, wallet, key))
    expect(Number(decode(credential).payload.exp)).toBe(Math.floor(end.getTime() / 1000))
  })

  test('gets one credential for a key, however often it proves it', async () => {
    const { wallet } = await addWallet(city)
    const jwt = [await jwtProof(city, key, await freshNonce(city)), await jwtProof(city, key, await freshNonce(city))]
    const answer = await askFor(city, wallet, { credential_identifier: identifierOf(wallet), proofs: { jwt } })
    expect(credentialsIn(answer)).toHaveLength(1)
  })

  test('chooses between metering points by identifier', async () => {
    const { wallet, point } = await addWallet(city)
    const { point: second } = await addHolder(city, city.utility)
    await administer(
      city.database.url,
      `update metering.entitlement_v1 set customer_id = '${wallet.id}' where metering_point_id = '${second}'`,
    )
    for (const each of [point, second]) {
      const chosen = forEntitlement(wallet.id, `MeteringPointEntitlement:${each}`)
      const [credential = ''] = credentialsIn(await ask(city, chosen, key))
      expect((await city.verify(credential)).body.claims).toMatchObject({ metering_point: each })
    }
    const another = forEntitlement(wallet.id, `MeteringPointEntitlement:${(await addHolder(city, city.utility)).point}`)
    expect((await ask(city, another, key)).body).toMatchObject({ error: 'credential_request_denied' })
  })

  test('may name the configuration instead, and members that nobody knows are ignored', async () => {
    const { wallet } = await addWallet(city)
    const answer = await askFor(city, wallet, {
      credential_configuration_id: 'MeteringPointEntitlement',
      proofs: { jwt: [await jwtProof(city, key, await freshNonce(city))] },
      a_later_version: { of: 'the protocol' },
    })
    expect(credentialsIn(answer)).toHaveLength(1)
  })

  test('may use its token for nothing else', async () => {
    const { wallet } = await addWallet(city)
    expect(await city.call(wallet, 'GET', '/openid4vci/offers')).toMatchObject({ status: 403 })
    expect(await city.call(wallet, 'GET', '/credentials/cred_aaaaaaaaaaaaaaaaaaaaaa/events')).toMatchObject({
      status: 403,
    })
  })
})

describe('in another format', () => {
  test.each(['jwt_vc_json', 'ldp_vc'])('as %s it is bound to the key, verifies, and says the same', async (format) => {
    const { wallet: sdJwt, point } = await addWallet(city)
    const id = `MeteringPointEntitlement.${format}`
    const wallet = { ...sdJwt, authorizationDetails: [{ ...forDetail(sdJwt), credential_configuration_id: id }] }
    const body = (await ask(city, wallet, key)).body as { credentials: { credential: unknown }[] }
    const [{ credential } = { credential: undefined }] = body.credentials
    expect(typeof credential).toBe(format === 'ldp_vc' ? 'object' : 'string')
    const verified = await verifyCredential(credential, await city.credentials.verification())
    expect(verified).toMatchObject({
      ...{ type: 'MeteringPointEntitlement', issuer: city.utility.did, status: 'valid' },
      claims: { metering_point: point, role: 'holder' },
    })
    expect(verified.subject).toBe(didJwkFor(key.signer.publicKey))
    const record = await city.db
      .selectFrom('credentials.issued_credentials')
      .select('id')
      .where('holder', '=', wallet.id)
      .executeTakeFirstOrThrow()
    await city.call(organisation(city.utility), 'POST', `/credentials/${record.id}/revocation`)
    await expect(verifyCredential(credential, await city.credentials.verification())).rejects.toMatchObject({
      code: 'credential-revoked',
    })
  })
})

describe('without a browser', () => {
  test('a device receives the credential of its own', async () => {
    const device = await newIdentity()
    const { point } = await addHolder(city, city.utility)
    await addDevice(city, device, point)
    const claims = { model: 'M1', serial: 'S-1', metering_point: point }
    const holder = { did: device.did, jwk: toPublicJwk(device.signer.publicKey) }
    await city.credentials.issueCredential({ type: 'MeterDeviceCredential', holder, claims })
    const answer = await askFor(
      city,
      { kind: 'device', id: device.did },
      {
        credential_configuration_id: 'MeterDeviceCredential',
        proofs: {
          jwt: [
            await jwtProof(city, device, await freshNonce(city), { header: { jwk: undefined, kid: device.keyId } }),
          ],
        },
      },
    )
    const [credential = ''] = credentialsIn(answer)
    expect(decode(credential).payload).toMatchObject({ sub: device.did })
    expect((await city.verify(credential)).body).toMatchObject({ trusted: true, claims })
  })

  test('a device receives nothing for the key of somebody else, nor before somebody enrolled it', async () => {
    const device = await newIdentity()
    const caller = { kind: 'device', id: device.did } as const
    const request = (by: Identity, header: Record<string, unknown>) =>
      city.request(caller, 'MeterDeviceCredential', by, { header })
    const jwk = toPublicJwk(key.signer.publicKey)
    for (const header of [{ jwk }, { kid: key.keyId }])
      expect((await request(key, header)).body).toMatchObject({ error: 'invalid_proof' })
    expect((await request(device, { kid: device.keyId })).body).toMatchObject({ error: 'credential_request_denied' })
  })

  test.each(['MeterDeviceCredential', 'MeteringPointEntitlement', 'ConsentReceipt'] as const)(
    'an organisation is not given a %s by asking for it',
    async (type) => {
      const answer = await city.request(organisation(city.utility), type, city.utility)
      expect(answer).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } })
    },
  )

  test('an organisation receives its accreditation', async () => {
    const answer = await askFor(city, organisation(city.utility), {
      credential_configuration_id: 'OrganisationCredential',
      proofs: { jwt: [await jwtProof(city, city.utility, await freshNonce(city))] },
    })
    expect((await city.verify(credentialsIn(answer)[0] ?? '')).body).toMatchObject({
      trusted: true,
      issuer: city.registrar.did,
      claims: { legal_name: 'Nordvik Nett AS' },
    })
  })
})

describe('attested keys', () => {
  test('as the proof give one credential for each', async () => {
    const { wallet } = await addWallet(city)
    const keys = (await Promise.all([1, 2].map(newIdentity))).map(({ signer }) => signer.publicKey)
    const nonce = await freshNonce(city)
    const attestation = await keyAttestation(city, attester, { keys, payload: { nonce, exp: undefined } })
    const answer = await askFor(city, wallet, {
      credential_identifier: identifierOf(wallet),
      proofs: { attestation: [attestation] },
    })
    expect(credentialsIn(answer).map(boundKeyOf)).toEqual(keys.map((one) => toPublicJwk(one)))
  })

  test.each([
    ['jwk', (proving: Identity) => ({ jwk: toPublicJwk(proving.signer.publicKey) })],
    ['the id that the attestation gives it', () => ({ jwk: undefined, kid: '0' })],
  ])('in the header of a proof give one for each, the proving key named by %s', async (_, name) => {
    const { wallet } = await addWallet(city)
    const [proving, other] = await Promise.all([newIdentity(), newIdentity()])
    const keys = [proving.signer.publicKey, other.signer.publicKey]
    const nonce = await freshNonce(city)
    const attested_keys = keys.map((one, index) => ({ ...toPublicJwk(one), kid: String(index) }))
    const key_attestation = await keyAttestation(city, attester, { keys, payload: { nonce, attested_keys } })
    const jwt = [await jwtProof(city, proving, nonce, { header: { ...name(proving), key_attestation } })]
    const answer = await askFor(city, wallet, { credential_identifier: identifierOf(wallet), proofs: { jwt } })
    expect(credentialsIn(answer).map(boundKeyOf)).toEqual(keys.map((one) => toPublicJwk(one)))
  })

  test('of a device have to be its own', async () => {
    const device = await newIdentity()
    const nonce = await freshNonce(city)
    const keys = [device.signer.publicKey, key.signer.publicKey]
    const attestation = await keyAttestation(city, attester, { keys, payload: { nonce } })
    const answer = await askFor(
      city,
      { kind: 'device', id: device.did },
      {
        credential_configuration_id: 'MeterDeviceCredential',
        proofs: { attestation: [attestation] },
      },
    )
    expect(answer.body).toMatchObject({ error: 'invalid_proof' })
  })
})

describe('an encrypted request', () => {
  async function issuerKey(): Promise<JWK> {
    const { body } = await city.call(null, 'GET', '/.well-known/openid-credential-issuer')
    return (body.credential_request_encryption as { jwks: { keys: [JWK] } }).jwks.keys[0]
  }

  async function encrypted(request: object, enc = 'A256GCM'): Promise<string> {
    const jwk = await issuerKey()
    return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(request)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc, kid: jwk.kid ?? '' })
      .encrypt(await importJWK(jwk, 'ECDH-ES'))
  }

  test.each(['A128GCM', 'A256GCM'])('is answered in the open, or encrypted to the key in it with %s', async (enc) => {
    const { wallet } = await addWallet(city)
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256' })
    const jwk = { ...(await exportJWK(pair.publicKey)), alg: 'ECDH-ES', kid: 'mine' }
    const request = async () => ({
      credential_identifier: identifierOf(wallet),
      proofs: { jwt: [await jwtProof(city, key, await freshNonce(city))] },
    })
    expect(credentialsIn(await askFor(city, wallet, await encrypted(await request(), enc)))).toHaveLength(1)
    const answer = await askFor(
      city,
      wallet,
      await encrypted({ ...(await request()), credential_response_encryption: { jwk, enc } }, enc),
    )
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/jwt' } })
    const { plaintext, protectedHeader } = await compactDecrypt(answer.text, pair.privateKey)
    expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES', enc, kid: 'mine' })
    const { credentials } = JSON.parse(new TextDecoder().decode(plaintext))
    expect((await city.verify(credentials[0].credential)).body).toMatchObject({ verified: true })
  })
})

describe('what the utility has offered but not confirmed yet', () => {
  /** A customer with an offer of the utility, whose metering point is another's for now. */
  async function announced(): Promise<{ wallet: Wallet; confirm(): Promise<void>; offer: string }> {
    const { customer, point } = await addHolder(city, city.utility)
    const holds = (id: string) =>
      administer(
        city.database.url,
        `update metering.entitlement_v1 set customer_id = '${id}' where metering_point_id = '${point}'`,
      )
    await holds('cust_somebody_else')
    const { body } = await city.call(organisation(city.utility), 'POST', '/openid4vci/offers', {
      holder: customer.id,
      configuration_ids: ['MeteringPointEntitlement'],
    })
    const offer = String(body.id)
    return { wallet: { ...forEntitlement(customer.id), offer }, confirm: () => holds(customer.id), offer }
  }
  const later = (wallet: Wallet, transaction_id: unknown): Promise<Answer> =>
    city.call(wallet, 'POST', '/openid4vci/deferred-credential', { transaction_id })

  test('comes later, once, for the keys that were proven', async () => {
    const { wallet, confirm } = await announced()
    const answer = await ask(city, wallet, key)
    expect(answer).toMatchObject({ status: 202, body: { transaction_id: expect.any(String), interval: 60 } })
    const { transaction_id: transaction } = answer.body
    expect(await later(wallet, transaction)).toMatchObject({ status: 202, body: answer.body })
    await confirm()
    const answers = await Promise.all([1, 2, 3].map(() => later(wallet, transaction)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400])
    const issued = answers.find(({ status }) => status === 200)
    expect(issued && credentialsIn(issued).map(boundKeyOf)).toEqual([toPublicJwk(key.signer.publicKey)])
    expect(issued?.body.notification_id).toEqual(expect.any(String))
    expect((await later(wallet, transaction)).body).toMatchObject({ error: 'invalid_transaction_id' })
  })

  test('does not come to another holder, nor to a token for something else', async () => {
    const { wallet } = await announced()
    const { transaction_id: transaction } = (await ask(city, wallet, key)).body
    const { wallet: other } = await announced()
    expect((await later(other, transaction)).body).toMatchObject({ error: 'invalid_transaction_id' })
    const receipts = {
      ...wallet,
      authorizationDetails: [{ ...forDetail(wallet), credential_configuration_id: 'ConsentReceipt' }],
    }
    expect(await later(receipts, transaction)).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } })
  })

  test('does not come after two weeks, nor when the offer was withdrawn', async () => {
    const { wallet, confirm, offer } = await announced()
    const { transaction_id: transaction } = (await ask(city, wallet, key)).body
    await confirm()
    const before = city.clock.now
    city.clock.now = new Date(before.getTime() + 14 * 24 * 3600_000)
    const late = await later(wallet, transaction)
    city.clock.now = before
    expect(late.body).toMatchObject({ error: 'invalid_transaction_id' })
    await city.call(organisation(city.utility), 'DELETE', `/openid4vci/offers/${offer}`)
    expect((await later(wallet, transaction)).body).toMatchObject({ error: 'credential_request_denied' })
    expect((await ask(city, wallet, key)).body).toMatchObject({ error: 'credential_request_denied' })
  })

  test('is not deferred for somebody without an offer', async () => {
    const { wallet } = await announced()
    expect((await ask(city, forEntitlement(wallet.id), key)).body).toMatchObject({ error: 'credential_request_denied' })
  })
})

describe('under an offer', () => {
  const offered = async (customerId: string, body: object, by = city.utility): Promise<Wallet & { offer: string }> => {
    const answer = await city.call(organisation(by), 'POST', '/openid4vci/offers', {
      ...{ holder: customerId, configuration_ids: ['MeteringPointEntitlement'], ...body },
    })
    return { ...forEntitlement(customerId), offer: String(answer.body.id) }
  }

  /** A customer with two metering points of the city's utility. */
  const withTwoPoints = async () => {
    const { customer, point } = await addHolder(city, city.utility)
    const { point: second } = await addHolder(city, city.utility)
    await administer(
      city.database.url,
      `update metering.entitlement_v1 set customer_id = '${customer.id}' where metering_point_id = '${second}'`,
    )
    return { customer, points: [point, second].sort() }
  }
  const pointIn = async (answer: Answer) =>
    ((await city.verify(credentialsIn(answer)[0] ?? '')).body.claims as { metering_point: string }).metering_point

  test('about one metering point that one comes, and no other can be named', async () => {
    const { customer, points } = await withTwoPoints()
    const [first = '', second = ''] = points
    const wallet = await offered(customer.id, { resource: second })
    expect(await pointIn(await ask(city, wallet, key))).toBe(second)
    const identifiers = await city.credentials.credentialIdentifiers(
      { kind: 'customer', id: customer.id },
      'MeteringPointEntitlement',
      wallet.offer,
    )
    expect(identifiers).toEqual([`MeteringPointEntitlement:${second}`])
    const named = { ...forEntitlement(customer.id, `MeteringPointEntitlement:${first}`), offer: wallet.offer }
    expect((await ask(city, named, key)).body).toMatchObject({ error: 'credential_request_denied' })
  })

  test('of no metering point in particular, those come first of which the holder has no credential', async () => {
    const { customer, points } = await withTwoPoints()
    const wallet = await offered(customer.id, {})
    const received = [await pointIn(await ask(city, wallet, key)), await pointIn(await ask(city, wallet, key))]
    expect(received.sort()).toEqual(points)
    expect(
      await city.credentials.credentialIdentifiers({ kind: 'customer', id: customer.id }, 'MeteringPointEntitlement'),
    ).toEqual(points.map((point) => `MeteringPointEntitlement:${point}`))
  })

  test('for somebody else, or for something else, nothing comes', async () => {
    const { customer } = await addHolder(city, city.utility)
    const { wallet } = await addWallet(city)
    const { offer } = await offered(customer.id, {})
    expect((await ask(city, { ...wallet, offer }, key)).body).toMatchObject({ error: 'credential_request_denied' })
    const missing = { ...wallet, offer: 'offer_made_up' }
    expect((await ask(city, missing, key)).body).toMatchObject({ error: 'credential_request_denied' })
    const { offer: receipt } = await offered(
      wallet.id,
      {
        configuration_ids: ['RepresentationCredential'],
        claims: { represents: customer.id, role: 'proxy', powers: ['read'], from: '2026-01-01T00:00:00Z' },
      },
      city.registrar,
    )
    const crossed = { ...forEntitlement(wallet.id), offer: receipt }
    expect((await ask(city, crossed, key)).body).toMatchObject({ error: 'credential_request_denied' })
  })

  test('what only its maker knows comes as it was said, and not once it was withdrawn', async () => {
    const { customer: represented, point } = await addHolder(city, city.utility)
    const { customer: guardian } = await addHolder(city, city.utility)
    const claims = {
      ...{ represents: represented.id, role: 'guardian', powers: ['read', 'consent'] },
      ...{ metering_point: point, from: '2026-01-01T00:00:00Z' },
    }
    const { offer } = await offered(guardian.id, { configuration_ids: ['RepresentationCredential'], claims })
    const wallet: Wallet = {
      ...{ ...guardian, offer },
      authorizationDetails: [
        {
          type: 'openid_credential',
          credential_configuration_id: 'RepresentationCredential',
          credential_identifiers: ['RepresentationCredential'],
        },
      ],
    }
    const [credential = ''] = credentialsIn(await ask(city, wallet, key))
    expect((await city.verify(credential)).body).toMatchObject({ trusted: true, issuer: city.utility.did, claims })
    await city.call(organisation(city.utility), 'DELETE', `/openid4vci/offers/${offer}`)
    expect((await ask(city, wallet, key)).body).toMatchObject({ error: 'credential_request_denied' })
    const row = await city.db
      .selectFrom('credentials.offers')
      .select('claims')
      .where('id', '=', offer)
      .executeTakeFirstOrThrow()
    expect(row.claims).toBeNull()
  })
})

test('a customer offers a receipt to a wallet of theirs, and no facts of anybody else come with it', async () => {
  const [customer, neighbour] = [newId('cust'), newId('cust')]
  for (const holder of [neighbour, customer, customer]) {
    const claims = {
      ...{ record_id: newId('perm'), enforced_at: '2026-03-01T12:00:00.000Z' },
      ...{ statement_sha256: 'a'.repeat(64), recipients_told: [] },
    }
    receipts.push({ holder, resource: claims.record_id, claims, issuerDid: city.authority.did })
  }
  const last = receipts.at(-1)
  const by = { kind: 'customer', id: customer } as const
  const body = { configuration_ids: ['RevocationReceipt'], resource: last?.resource }
  const { id: offer } = (await city.call(by, 'POST', '/openid4vci/offers', body)).body
  const [detail, ...more] = await city.credentials.credentialIdentifiers(by, 'RevocationReceipt', String(offer))
  expect([detail, more]).toEqual([`RevocationReceipt:${last?.resource}`, []])
  const wallet: Wallet = {
    ...{ ...by, offer: String(offer) },
    authorizationDetails: [
      {
        type: 'openid_credential',
        credential_configuration_id: 'RevocationReceipt',
        credential_identifiers: [detail ?? ''],
      },
    ],
  }
  const [credential = ''] = credentialsIn(await ask(city, wallet, key))
  expect((await city.verify(credential)).body).toMatchObject({
    ...{ trusted: true, issuer: city.authority.did, claims: last?.claims },
  })
  expect((await ask(city, { ...wallet, id: neighbour }, key)).body).toMatchObject({
    error: 'credential_request_denied',
  })
})

test('a fault of ours is told as such, and leaves the nonce to be used', async () => {
  const { wallet: entitled } = await addWallet(city)
  const both = [...(entitled.authorizationDetails ?? [])].flatMap((detail) => [
    detail,
    { ...detail, credential_configuration_id: 'ConsentReceipt', credential_identifiers: ['ConsentReceipt'] },
  ])
  const wallet = { ...entitled, authorizationDetails: both }
  const proofs = { jwt: [await jwtProof(city, key, await freshNonce(city))] }
  const answer = await askFor(city, wallet, { credential_identifier: 'ConsentReceipt', proofs })
  expect(answer).toMatchObject({ status: 503, body: { code: 'database-unavailable' } })
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(
    credentialsIn(await askFor(city, wallet, { credential_identifier: identifierOf(wallet), proofs })),
  ).toHaveLength(1)
})

test('what a utility said in an offer is not signed by the one that has the metering point meanwhile', async () => {
  const { customer, point } = await addHolder(city, city.utility)
  const says = {
    represents: customer.id,
    role: 'guardian',
    powers: ['read'],
    metering_point: point,
    from: '2026-01-01T00:00:00Z',
  }
  const id = 'RepresentationCredential'
  const { body } = await city.call(organisation(city.utility), 'POST', '/openid4vci/offers', {
    holder: newId('cust'),
    configuration_ids: [id],
    claims: says,
  })
  const wallet: Wallet = {
    kind: 'customer',
    id: String(body.holder),
    offer: String(body.id),
    authorizationDetails: [{ type: 'openid_credential', credential_configuration_id: id, credential_identifiers: [] }],
  }
  const request = () => city.request(wallet, id, key)
  expect(credentialsIn(await request())).toHaveLength(1)
  await administer(
    city.database.url,
    `update metering.metering_point_v1 set utility_did = '${city.registrar.did}' where id = '${point}'`,
  )
  expect(await request()).toMatchObject({ status: 400, body: { error: 'credential_request_denied' } })
})

describe('a notification', () => {
  const notify = (wallet: Wallet, body: object) => city.call(wallet, 'POST', '/openid4vci/notification', body)

  test('may come twice, and be followed by another', async () => {
    const { wallet } = await addWallet(city)
    const { notification_id } = (await ask(city, wallet, key)).body
    for (const event of ['credential_accepted', 'credential_accepted', 'credential_deleted']) {
      expect((await notify(wallet, { notification_id, event, event_description: 'as it was' })).status).toBe(204)
    }
    const rows = await city.db
      .selectFrom('credentials.notification_events as e')
      .innerJoin('credentials.notifications as n', 'n.sha256', 'e.sha256')
      .select(['e.event', 'n.credential_ids'])
      .where('n.holder', '=', wallet.id)
      .orderBy('e.event')
      .execute()
    expect(rows.map(({ event }) => event)).toEqual(['credential_accepted', 'credential_deleted'])
    expect(rows[0]?.credential_ids).toHaveLength(1)
  })

  test.each([
    ['of an unknown event', { event: 'credential_lost' }, 'invalid_notification_request'],
    ['without an event', { event: undefined }, 'invalid_notification_request'],
    ['with words that are not ASCII', { event_description: 'gått tapt' }, 'invalid_notification_request'],
    ['under an id that nobody got', { notification_id: 'made-up' }, 'invalid_notification_id'],
  ])('%s is refused', async (_, changes, error) => {
    const { wallet } = await addWallet(city)
    const { notification_id } = (await ask(city, wallet, key)).body
    const answer = await notify(wallet, { notification_id, event: 'credential_accepted', ...changes })
    expect(answer).toMatchObject({ status: 400, body: { error }, headers: { 'cache-control': 'no-store' } })
  })

  test('by another holder is refused, and so is one without a token', async () => {
    const { wallet } = await addWallet(city)
    const { notification_id } = (await ask(city, wallet, key)).body
    const body = { notification_id, event: 'credential_accepted' }
    expect((await notify((await addWallet(city)).wallet, body)).body).toMatchObject({
      error: 'invalid_notification_id',
    })
    expect((await city.call(null, 'POST', '/openid4vci/notification', body)).status).toBe(401)
  })
})

function forDetail({ authorizationDetails: [detail] = [] }: Wallet) {
  if (!detail) throw new Error('the wallet has no token for a credential')
  return detail
}
