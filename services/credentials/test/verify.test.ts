import { randomBytes } from 'node:crypto'
import { type Issuance, issueSdJwtVc } from '@tillit/credential'
import { toPublicJwk } from '@tillit/keys'
import { createJWT, EdDSASigner } from 'did-jwt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Identity, newId, newIdentity, organisation, partyIn, startCity, type TestCity } from './start-city.ts'

let city: TestCity
beforeAll(async () => {
  city = await startCity()
  await city.accredit(city.utility)
})
afterAll(() => city.stop())

async function issueAs(issuer: Identity, changes: Partial<Issuance> = {}): Promise<string> {
  return issueSdJwtVc({
    type: 'OrganisationCredential',
    issuerDid: issuer.did,
    keyId: issuer.keyId,
    signer: issuer.signer,
    subjectDid: issuer.did,
    holderJwk: toPublicJwk(issuer.signer.publicKey),
    claims: {
      legal_name: 'Forged',
      registration_number: '1',
      country: 'NO',
      roles: ['utility'],
      purposes: [],
    },
    status: await takenStatus(),
    issuedAt: city.clock.now,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    ...changes,
  })
}

/** A status reference that is really valid, so that only trust decides. */
async function takenStatus(): Promise<{ idx: number; uri: string }> {
  const party = partyIn(await city.call(null, 'GET', `/trust/organisations/${city.utility.did}`))
  const payload = Buffer.from(party.credential?.split('.')[1] ?? '', 'base64url').toString()
  return JSON.parse(payload).status.status_list
}

function didJwt(issuer: Identity, payload: object): Promise<string> {
  const signer = EdDSASigner(new Uint8Array(Buffer.from(issuer.jwk.d, 'base64url')))
  const iat = Math.floor(city.clock.now.getTime() / 1000)
  return createJWT({ iat, ...payload }, { issuer: issuer.did, signer }, { alg: 'EdDSA' })
}

describe('an SD-JWT VC', () => {
  test('from a forged root is authentic but not trusted', async () => {
    const forged = await issueAs(await newIdentity())
    expect((await city.verify(forged)).body).toMatchObject({ verified: true, trusted: false })
  })

  test('of a metering point from an organisation that is no utility is not trusted', async () => {
    const adviser = await newIdentity()
    await city.accredit(adviser, { roles: ['eligible_party'] })
    const forged = await issueAs(adviser, {
      type: 'MeterDeviceCredential',
      claims: { model: 'M', serial: 'S', metering_point: newId('mp') },
    })
    expect((await city.verify(forged)).body).toMatchObject({ trusted: false })
  })

  test('in the name of the registrar, signed by someone else, is not authentic', async () => {
    const { signer } = await newIdentity()
    const forged = await issueAs(city.registrar, { signer })
    expect(await city.verify(forged)).toMatchObject({ status: 401, body: { code: 'invalid-credential-signature' } })
  })

  test('outside its time is refused', async () => {
    const expired = await issueAs(city.registrar, { expires: city.clock.now })
    expect(await city.verify(expired)).toMatchObject({ status: 403, body: { code: 'credential-expired' } })
  })

  test.each(['', '~', 'a.b.c~', 'a~b~c', 'é~', '..~', 'x'.repeat(262_145)])('that is %j is refused', async (text) => {
    const answer = await city.verify(text)
    expect(answer.status).toBe(400)
  })
})

describe('a JWT made by did-jwt', () => {
  test('as a credential of a stranger verifies and is not trusted', async () => {
    const stranger = await newIdentity()
    const jwt = await didJwt(stranger, {
      vc: { type: ['VerifiableCredential', 'InstallerCredential'], credentialSubject: { name: 'Installer' } },
    })
    expect((await city.verify(jwt)).body).toMatchObject({
      verified: true,
      format: 'jwt',
      issuer: stranger.did,
      type: 'InstallerCredential',
      trusted: false,
      status: 'none',
    })
  })

  test('of an accredited organisation is trusted, and not while that is suspended', async () => {
    const jwt = await didJwt(city.utility, { hello: 'world' })
    expect((await city.verify(jwt)).body).toMatchObject({ verified: true, trusted: true, type: null })
    const path = `/trust/organisations/${city.utility.did}/suspension`
    await city.call(organisation(city.registrar), 'POST', path)
    expect((await city.verify(jwt)).body).toMatchObject({ trusted: false })
    await city.call(organisation(city.registrar), 'DELETE', path)
  })

  test('with a changed byte is not authentic', async () => {
    const jwt = await didJwt(city.utility, { hello: 'world' })
    const [header, , signature] = jwt.split('.')
    const other = Buffer.from(JSON.stringify({ iss: city.utility.did, hello: 'w0rld' })).toString('base64url')
    expect(await city.verify(`${header}.${other}.${signature}`)).toMatchObject({
      status: 401,
      body: { code: 'invalid-signature' },
    })
  })

  test('under a small-order key is refused', async () => {
    const weak = 'did:key:z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP'
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signature = Buffer.from([1, ...new Uint8Array(63)]).toString('base64url')
    const jwt = `${encode({ alg: 'EdDSA' })}.${encode({ iss: weak })}.${signature}`
    expect(await city.verify(jwt)).toMatchObject({ status: 400, body: { code: 'weak-key' } })
  })
})
