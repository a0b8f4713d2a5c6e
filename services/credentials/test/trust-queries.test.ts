import { signKeyCompromise, verifyCompromisedKeys } from '@tillit/credential'
import { createResolver } from '@tillit/did'
import { signJws, thumbprint, toPublicJwk } from '@tillit/keys'
import { verifyOpening } from '@tillit/log'
import type { AccreditationHistory, CompromisedKeyRecord, CredentialType } from '@tillit/schemas'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addHolder, type Identity, newIdentity, organisation, startCity, type TestCity } from './start-city.ts'

const day = 86_400_000

let city: TestCity
let adviser: Identity
beforeAll(async () => {
  city = await startCity()
  await city.accredit(city.utility)
  adviser = await newIdentity()
  await city.accredit(adviser, { roles: ['eligible_party'], purposes: ['energy-advice'] })
})
afterAll(() => city.stop())

const setSuspension = (method: 'POST' | 'DELETE', { did }: Identity) =>
  city.call(organisation(city.registrar), method, `/trust/organisations/${did}/suspension`)

async function issueTo(type: CredentialType = 'MeteringPointEntitlement') {
  const { point } = await addHolder(city, city.utility)
  const { did, signer } = await newIdentity()
  return city.credentials.issueCredential({
    type,
    holder: { did, jwk: toPublicJwk(signer.publicKey) },
    claims: { gsrn: '707057500000000001', metering_point: point, role: 'holder', from: '2025-01-01T00:00:00Z' },
  })
}

describe('who may issue', () => {
  const issuers = async (type: string) =>
    (await city.call(null, 'GET', `/trust/issuers?type=${type}`)).body as { issuers: string[]; next?: string }

  test.each<[CredentialType, () => string[]]>([
    ['OrganisationCredential', () => [city.registrar.did]],
    ['ConsentReceipt', () => [city.authority.did]],
    ['PermissionCredential', () => [city.authority.did]],
    ['MeteringPointEntitlement', () => [city.utility.did]],
    ['MeterDeviceCredential', () => [city.utility.did]],
    ['RepresentationCredential', () => [city.registrar.did, city.utility.did].sort()],
    ['DelegationCredential', () => [adviser.did]],
  ])('a %s is told by the trust registry', async (type, expected) => {
    expect(await issuers(type)).toEqual({ issuers: expected() })
  })

  test('is told page by page', async () => {
    const { body } = await city.call(null, 'GET', '/trust/issuers?type=RepresentationCredential&limit=1')
    const [first = '', second] = [city.registrar.did, city.utility.did].sort()
    expect(body).toEqual({ issuers: [first], next: first })
    const path = `/trust/issuers?type=RepresentationCredential&limit=1&after=${encodeURIComponent(first)}`
    expect((await city.call(null, 'GET', path)).body).toEqual({ issuers: [second], next: second })
  })

  test('an unknown type is a fault of the question', async () => {
    expect((await city.call(null, 'GET', '/trust/issuers?type=Diploma')).status).toBe(400)
  })
})

describe('a suspended organisation', () => {
  test('issues nothing from then on, and is no issuer until it is readmitted', async () => {
    await setSuspension('POST', city.utility)
    await expect(issueTo()).rejects.toMatchObject({ code: 'party-not-active' })
    const { body } = await city.call(null, 'GET', '/trust/issuers?type=MeteringPointEntitlement')
    expect(body).toEqual({ issuers: [] })
    await setSuspension('DELETE', city.utility)
    expect((await issueTo()).id).toMatch(/^cred_/)
  })

  test('waits for what it is just issuing, so that nothing is issued after its suspension', async () => {
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 8 }, () => issueTo()),
      setSuspension('POST', city.utility),
      ...Array.from({ length: 8 }, () => issueTo()),
    ])
    const refused = outcomes.filter(({ status }) => status === 'rejected')
    expect(refused.every((one) => one.status === 'rejected' && one.reason.code === 'party-not-active')).toBe(true)
    await expect(issueTo()).rejects.toMatchObject({ code: 'party-not-active' })
    const events = await city.db.selectFrom('credentials.status_events').select(['id', 'entry']).orderBy('id').execute()
    const suspension = events.findLast(({ entry }) => entry.event === 'suspended')
    const last = events.findLast(({ entry }) => entry.event === 'issued' && entry.issuer === city.utility.did)
    expect(last?.id).toBeLessThan(suspension?.id ?? 0)
    await setSuspension('DELETE', city.utility)
  })
})

describe('the registry answers (ToIP TRQP 2.0)', () => {
  const ask = async (question: Record<string, unknown>) =>
    (await city.call(null, 'POST', '/trust/authorization', { authority_id: city.registrar.did, ...question })).body

  test.each<[string, () => Record<string, unknown>, boolean]>([
    [
      'a utility issues entitlements',
      () => ({ entity_id: city.utility.did, action: 'issue', resource: 'MeteringPointEntitlement' }),
      true,
    ],
    [
      'a utility accredits nobody',
      () => ({ entity_id: city.utility.did, action: 'issue', resource: 'OrganisationCredential' }),
      false,
    ],
    [
      'the registrar accredits',
      () => ({ entity_id: city.registrar.did, action: 'issue', resource: 'OrganisationCredential' }),
      true,
    ],
    [
      'the authority issues receipts',
      () => ({ entity_id: city.authority.did, action: 'issue', resource: 'ConsentReceipt' }),
      true,
    ],
    [
      'an adviser issues no receipts',
      () => ({ entity_id: adviser.did, action: 'issue', resource: 'ConsentReceipt' }),
      false,
    ],
    [
      'an adviser delegates',
      () => ({ entity_id: adviser.did, action: 'issue', resource: 'DelegationCredential' }),
      true,
    ],
    [
      'an adviser acts as eligible party',
      () => ({ entity_id: adviser.did, action: 'act-as', resource: 'eligible_party' }),
      true,
    ],
    ['an adviser is no utility', () => ({ entity_id: adviser.did, action: 'act-as', resource: 'utility' }), false],
    ['an adviser advises', () => ({ entity_id: adviser.did, action: 'process-for', resource: 'energy-advice' }), true],
    [
      'an adviser does no research',
      () => ({ entity_id: adviser.did, action: 'process-for', resource: 'research' }),
      false,
    ],
    [
      'nobody does what is not known',
      () => ({ entity_id: adviser.did, action: 'govern', resource: 'energy-advice' }),
      false,
    ],
    [
      'a stranger may nothing',
      () => ({ entity_id: 'did:web:stranger.example', action: 'act-as', resource: 'utility' }),
      false,
    ],
    [
      'it does not speak for others',
      () => ({
        entity_id: adviser.did,
        authority_id: 'did:web:other.example',
        action: 'act-as',
        resource: 'eligible_party',
      }),
      false,
    ],
    [
      'it knows nothing of the future',
      () => ({
        entity_id: adviser.did,
        action: 'act-as',
        resource: 'eligible_party',
        context: { time: '2999-01-01T00:00:00Z' },
      }),
      false,
    ],
  ])('%s', async (_what, question, authorized) => {
    const { context: _, ...asked } = question()
    expect(await ask(question())).toMatchObject({ ...asked, authorized })
  })

  test('for the past: what was accredited when, and what happened to it', async () => {
    const party = await newIdentity()
    const start = city.clock.now.getTime()
    const at = (days: number) => new Date(start + days * day)
    const authorized = async (days: number, resource: string) =>
      (
        await ask({
          entity_id: party.did,
          action: 'process-for',
          resource,
          context: { time: at(days).toISOString() },
        })
      ).authorized
    try {
      city.clock.now = at(1)
      await city.accredit(party, { roles: ['eligible_party'], purposes: ['energy-advice'] })
      city.clock.now = at(3)
      await city.accredit(party, { roles: ['eligible_party'], purposes: ['research'] })
      city.clock.now = at(5)
      await setSuspension('POST', party)
      city.clock.now = at(7)
      await setSuspension('DELETE', party)
      city.clock.now = at(9)
      const told = []
      for (const days of [0, 2, 4, 6, 8])
        told.push([await authorized(days, 'energy-advice'), await authorized(days, 'research')])
      expect(told).toEqual([
        [false, false],
        [true, false],
        [false, true],
        [false, false],
        [false, true],
      ])

      const history = `/trust/organisations/${party.did}/history`
      const { events } = (await city.call(null, 'GET', history)).body as AccreditationHistory
      expect(events.map(({ seq, event, purposes }) => [seq, event, purposes])).toEqual([
        [1, 'accredited', ['energy-advice']],
        [2, 'accredited', ['research']],
        [3, 'suspended', undefined],
        [4, 'reinstated', undefined],
      ])
      expect(events.every(({ actor }) => actor === city.registrar.did)).toBe(true)
      const page = (await city.call(null, 'GET', `${history}?after=2&limit=1`)).body
      expect(page).toEqual({ events: [events[2]], next: 3 })
    } finally {
      city.clock.now = new Date(start)
    }
  })

  test('a history of whom it knows only', async () => {
    const { did } = await newIdentity()
    expect((await city.call(null, 'GET', `/trust/organisations/${did}/history`)).status).toBe(404)
  })
})

describe('a compromised key', () => {
  const report = (statement: string) => city.call(null, 'POST', '/trust/compromised-keys', { statement })
  const statementBy = ({ did, keyId, signer }: Identity, about = { did, signer }) =>
    signKeyCompromise(
      { did: about.did, jkt: thumbprint(about.signer.publicKey) },
      { did, keyId, signer, now: city.clock.now },
    )

  test('is refused in every verification from its report on, is published, and stands in the log', async () => {
    const other = await startCity()
    try {
      await other.accredit(other.utility)
      const { point } = await addHolder(other, other.utility)
      const holder = await newIdentity()
      const { credential } = await other.credentials.issueCredential({
        type: 'MeteringPointEntitlement',
        holder: { did: holder.did, jwk: toPublicJwk(holder.signer.publicKey) },
        claims: { gsrn: '707057500000000001', metering_point: point, role: 'holder', from: '2025-01-01T00:00:00Z' },
      })
      expect((await other.verify(credential)).body).toMatchObject({ trusted: true })
      const { did, signer } = other.utility
      const statement = await statementBy(other.registrar, { did, signer })
      const send = () => other.call(null, 'POST', '/trust/compromised-keys', { statement })
      const first = await send()
      expect(first.status).toBe(201)
      expect((await other.verify(credential)).body).toMatchObject({ trusted: false })
      expect((await send()).body).toEqual(first.body)
      const again = other.credentials.issueCredential({
        type: 'MeteringPointEntitlement',
        holder: { did: holder.did, jwk: toPublicJwk(holder.signer.publicKey) },
        claims: { gsrn: '707057500000000001', metering_point: point, role: 'holder', from: '2025-01-01T00:00:00Z' },
      })
      await expect(again).rejects.toMatchObject({ code: 'untrusted-issuer' })

      const record = first.body as unknown as CompromisedKeyRecord
      expect(record).toMatchObject({
        did,
        jkt: thumbprint(signer.publicKey),
        stated_by: other.registrar.did,
        statement,
      })
      const outbox = await other.database
        .connect<{ 'credentials.outbox': { kind: string; commitment: Buffer } }>('credentials')
        .selectFrom('credentials.outbox')
        .select('commitment')
        .where('kind', '=', 'key-compromise')
        .execute()
      expect(outbox.map(({ commitment }) => commitment.toString('hex'))).toEqual([record.opening.commitment])
      expect(() => verifyOpening(record.opening)).not.toThrow()
      const listed = await other.call(null, 'GET', `/trust/organisations/${did}/compromised-keys`)
      expect(listed.body).toEqual({ keys: [record] })

      const published = await other.call(null, 'GET', '/trust/compromised-keys')
      expect(published.headers).toMatchObject({ 'content-type': 'application/compromised-keys+jwt' })
      const now = () => other.clock.now
      const resolver = createResolver({
        webvhLog: async () => null,
        webvhWitness: async () => null,
        fetchText: null,
        now,
      })
      const { isCompromised } = await verifyCompromisedKeys(published.text, {
        issuerDids: [other.authority.did],
        resolveDid: async (did) => ({ ...(await resolver.resolve(did)) }),
        now: now(),
      })
      expect(await isCompromised(did, record.jkt)).toBe(true)
      expect(await isCompromised(other.registrar.did, record.jkt)).toBe(false)
    } finally {
      await other.stop()
    }
  })

  test('makes every JWT that it signs untrusted too', async () => {
    const party = await newIdentity()
    await city.accredit(party)
    const { did, keyId: kid, signer } = party
    const jwt = await signJws({ typ: 'JWT', kid }, { iss: did, iat: city.clock.now.getTime() / 1000 }, signer)
    expect((await city.verify(jwt)).body).toMatchObject({ verified: true, trusted: true })
    await report(await statementBy(party))
    expect((await city.verify(jwt)).body).toMatchObject({ verified: true, trusted: false })
  })

  test('is reported by its own organisation or the registrar', async () => {
    const party = await newIdentity()
    await city.accredit(party)
    const byAnother = await report(await statementBy(adviser, party))
    expect(byAnother.body).toMatchObject({ code: 'role-required' })
    expect((await report(await statementBy(party))).status).toBe(201)
    const { events } = (await city.call(null, 'GET', `/trust/organisations/${party.did}/history`))
      .body as AccreditationHistory
    expect(events).toHaveLength(1)
  })

  test('of a DID that nobody relies on here is not kept', async () => {
    expect((await report(await statementBy(await newIdentity()))).body).toMatchObject({ code: 'not-found' })
  })

  test('is reported by the registrar even where its holder reported as many others as are taken', async () => {
    const party = await newIdentity()
    await city.accredit(party)
    const { did, keyId, signer } = party
    const answers = await Promise.all(
      Array.from({ length: 65 }, async (_, i) => {
        const jkt = Buffer.alloc(32, i).toString('base64url')
        return report(await signKeyCompromise({ did, jkt }, { did, keyId, signer, now: city.clock.now }))
      }),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(64)
    expect((await report(await statementBy(party))).body).toMatchObject({ code: 'too-many-requests' })
    expect((await report(await statementBy(city.registrar, party))).status).toBe(201)
  })

  test('is not taken back, by nobody', async () => {
    const party = await newIdentity()
    await city.accredit(party)
    await report(await statementBy(party))
    await expect(city.db.deleteFrom('credentials.compromised_keys').execute()).rejects.toThrow('never taken back')
  })
})
