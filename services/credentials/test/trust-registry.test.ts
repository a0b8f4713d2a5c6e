import { fromBase64url } from '@tillit/codec'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CredentialsTables } from '../src/index.ts'
import { credentialsIn, newIdentity, organisation, partyIn, startCity, type TestCity } from './start-city.ts'

let city: TestCity
beforeAll(async () => {
  city = await startCity()
})
afterAll(() => city.stop())

describe('the root', () => {
  test('is the registrar, accredited by itself and verified by anyone', async () => {
    expect((await city.call(null, 'GET', '/trust/root')).body).toEqual({ did: city.registrar.did })
    const party = partyIn(await city.call(null, 'GET', `/trust/organisations/${city.registrar.did}`))
    expect(party).toMatchObject({ roles: ['trust_registrar'], status: 'ACTIVE' })
    expect((await city.verify(party.credential ?? '')).body).toMatchObject({ verified: true, trusted: true })
  })

  test('stays the same at every start, and no second one is made', async () => {
    const root = { legalName: 'City of Nordvik', registrationNumber: '111222333', country: 'NO' }
    const before = partyIn(await city.call(null, 'GET', `/trust/organisations/${city.registrar.did}`))
    expect(await city.credentials.bootstrapRoot({ did: city.registrar.did, ...root })).toEqual(before)
    await expect(city.credentials.bootstrapRoot({ did: city.utility.did, ...root })).rejects.toThrow(
      expect.objectContaining({ code: 'invalid-configuration' }),
    )
  })

  test('cannot be suspended', async () => {
    const path = `/trust/organisations/${city.registrar.did}/suspension`
    expect((await city.call(organisation(city.registrar), 'POST', path)).body).toMatchObject({ code: 'conflict' })
  })
})

describe('an accreditation', () => {
  test('makes a party whose credential verifies up to the root', async () => {
    const answer = await city.accredit(city.utility)
    expect(answer.status).toBe(201)
    const party = partyIn(answer)
    expect(party).toMatchObject({ did: city.utility.did, roles: ['utility'], status: 'ACTIVE' })
    expect(partyIn(await city.call(null, 'GET', `/trust/organisations/${city.utility.did}`))).toEqual(party)
    expect((await city.verify(party.credential ?? '')).body).toEqual({
      verified: true,
      format: 'dc+sd-jwt',
      issuer: city.registrar.did,
      type: 'OrganisationCredential',
      trusted: true,
      status: 'valid',
      claims: {
        legal_name: 'Nordvik Nett AS',
        registration_number: '999888777',
        country: 'NO',
        roles: ['utility'],
        purposes: [],
      },
    })
  })

  test('given again is the same, given otherwise replaces the credential', async () => {
    const adviser = await newIdentity()
    const claims = { roles: ['eligible_party' as const], purposes: ['energy-advice'] }
    const first = partyIn(await city.accredit(adviser, claims))
    expect(partyIn(await city.accredit(adviser, claims))).toEqual(first)
    const second = partyIn(await city.accredit(adviser, { ...claims, purposes: ['energy-advice', 'research'] }))
    expect(second.credential).not.toBe(first.credential)
    expect((await city.verify(first.credential ?? '')).body).toMatchObject({ verified: false, status: 'revoked' })
    expect((await city.verify(second.credential ?? '')).body).toMatchObject({ verified: true, status: 'valid' })
  })

  test('given again shortly before its end is renewed, and the old one stays good until then', async () => {
    const adviser = await newIdentity()
    const first = partyIn(await city.accredit(adviser))
    const before = city.clock.now
    city.clock.now = new Date(before.getTime() + 340 * 86_400_000)
    const second = partyIn(await city.accredit(adviser))
    expect(second.credential).not.toBe(first.credential)
    expect((await city.verify(first.credential ?? '')).body).toMatchObject({ verified: true })
    expect((await city.verify(second.credential ?? '')).body).toMatchObject({ verified: true })
    city.clock.now = before
  })

  test('asked for twenty times at once is issued once', async () => {
    const adviser = await newIdentity()
    const answers = await Promise.all(Array.from({ length: 20 }, () => city.accredit(adviser)))
    expect(new Set(answers.map((answer) => partyIn(answer).credential)).size).toBe(1)
  })

  test('is only for the registrar to give', async () => {
    await city.accredit(city.utility)
    for (const caller of [city.utility, await newIdentity()]) {
      const body = {
        did: (await newIdentity()).did,
        claims: { legal_name: 'X', registration_number: '1', country: 'NO', roles: ['utility'], purposes: [] },
      }
      const answer = await city.call(organisation(caller), 'POST', '/trust/accreditations', body)
      expect(answer).toMatchObject({ status: 403, body: { code: 'role-required' } })
    }
  })

  test.each([
    ['a purpose that is not in the catalogue', { purposes: ['mind-reading'] }, 'unknown-purpose'],
    ['a role that does not exist', { roles: ['king'] }, 'invalid-request'],
    ['no role', { roles: [] }, 'invalid-request'],
    ['an unknown claim', { hobby: 'chess' }, 'unknown-field'],
  ])('with %s is refused', async (_, claims, code) => {
    const answer = await city.accredit(await newIdentity(), claims as object)
    expect(answer).toMatchObject({ status: 400, body: { code } })
  })

  test('of a DID that does not resolve is refused', async () => {
    const nobody = { ...(await newIdentity()), did: 'did:web:nobody.example' }
    expect((await city.accredit(nobody)).body).toMatchObject({ code: 'did-not-found' })
  })

  test('of a DID with a small-order key is refused', async () => {
    const weak = { ...(await newIdentity()), did: 'did:key:z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP' }
    expect((await city.accredit(weak)).body).toMatchObject({ status: 400, code: 'weak-key' })
  })
})

describe('a suspension', () => {
  test('takes the credential out of force within the same answer, and lifting it puts it back', async () => {
    const adviser = await newIdentity()
    const { credential } = partyIn(await city.accredit(adviser))
    const path = `/trust/organisations/${adviser.did}/suspension`
    const suspended = await city.call(organisation(city.registrar), 'POST', path)
    expect(partyIn(suspended).status).toBe('SUSPENDED')
    expect((await city.verify(credential ?? '')).body).toMatchObject({ verified: false, status: 'suspended' })
    expect((await city.accredit(adviser)).body).toMatchObject({ code: 'conflict' })
    const lifted = await city.call(organisation(city.registrar), 'DELETE', path)
    expect(partyIn(lifted).status).toBe('ACTIVE')
    expect((await city.verify(credential ?? '')).body).toMatchObject({ verified: true, status: 'valid' })
  })

  test('leaves no valid credential behind, however many are being asked for', async () => {
    const adviser = await newIdentity()
    await city.accredit(adviser)
    const path = `/trust/organisations/${adviser.did}/suspension`
    const [suspended, ...answers] = await Promise.all([
      city.call(organisation(city.registrar), 'POST', path),
      ...Array.from({ length: 10 }, () => city.request(organisation(adviser), 'OrganisationCredential', adviser)),
    ])
    expect(suspended?.status).toBe(200)
    const issued = answers.filter(({ status }) => status === 200).flatMap(credentialsIn)
    for (const credential of issued) {
      expect((await city.verify(credential)).body).toMatchObject({ verified: false, status: 'suspended' })
    }
    expect((await city.request(organisation(adviser), 'OrganisationCredential', adviser)).body).toMatchObject({
      error: 'credential_request_denied',
    })
  })

  test('is only for the registrar, and of an organisation that exists', async () => {
    const path = `/trust/organisations/${city.registrar.did}/suspension`
    expect((await city.call(organisation(city.utility), 'POST', path)).status).toBe(403)
    const unknown = `/trust/organisations/${(await newIdentity()).did}/suspension`
    expect((await city.call(organisation(city.registrar), 'POST', unknown)).status).toBe(404)
  })
})

test('a removal waits for a readmission that is under way, so that it is not undone by it', async () => {
  const adviser = await newIdentity()
  const { credential } = partyIn(await city.accredit(adviser))
  const { jti } = JSON.parse(new TextDecoder().decode(fromBase64url(credential?.split('.')[1] ?? '')))
  const database = city.database.connect<CredentialsTables>('credentials')
  await database.transaction().execute(async (readmission) => {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`party:${adviser.did}`}, 0))`.execute(readmission)
    let removed = false
    const removal = city.call(organisation(city.registrar), 'POST', `/credentials/${jti}/revocation`)
    removal.finally(() => {
      removed = true
    })
    for (let waits = 0; waits === 0; ) {
      expect(removed).toBe(false)
      const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory'
        AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`.execute(
        database,
      )
      waits = rows[0]?.n ?? 0
    }
    expect(partyIn(await city.call(null, 'GET', `/trust/organisations/${adviser.did}`)).status).toBe('ACTIVE')
  })
  for (let status = 'ACTIVE'; status !== 'REMOVED'; )
    status = partyIn(await city.call(null, 'GET', `/trust/organisations/${adviser.did}`)).status
})

test('the registry lists its organisations page by page', async () => {
  await city.accredit(await newIdentity())
  await city.accredit(await newIdentity())
  const dids: string[] = []
  let after = ''
  for (;;) {
    const { body } = await city.call(null, 'GET', `/trust/organisations?limit=1&after=${encodeURIComponent(after)}`)
    const page = body as { organisations: { did: string }[]; next?: string }
    dids.push(...page.organisations.map(({ did }) => did))
    if (page.next === undefined) break
    after = page.next
  }
  const whole = (await city.call(null, 'GET', '/trust/organisations')).body as { organisations: { did: string }[] }
  expect(dids).toEqual(whole.organisations.map(({ did }) => did))
  expect(dids).toContain(city.registrar.did)
})
