import { gunzipSync, inflateSync } from 'node:zlib'
import {
  type JsonObject,
  listStatusReader,
  presentVpJwt,
  secureVcJwt,
  signKeyCompromise,
  verifyCredential,
} from '@tillit/credential'
import { createResolver } from '@tillit/did'
import { thumbprint } from '@tillit/keys'
import { credentialsContext, tillitContext } from '@tillit/schemas'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  addDevice,
  addHolder,
  credentialsIn,
  newId,
  newIdentity,
  organisation,
  partyIn,
  startCity,
  type TestCity,
} from './start-city.ts'

// W3C VC-API (w3c-ccg/vc-api issuer.yml and verifier.yml): 201 with verifiableCredential, 200, or 400 with an errors array.

const resolver = createResolver({
  webvhLog: async () => null,
  webvhWitness: async () => null,
  fetchText: null,
  now: () => new Date(),
})
let city: TestCity
let point: string

beforeAll(async () => {
  city = await startCity()
  await city.accredit(city.utility)
  point = (await addHolder(city, city.utility)).point
})
afterAll(() => city.stop())

const formats = ['eddsa-jcs-2022', 'vc+jwt'] as const
let count = 0

function entitlement(changes: object = {}): JsonObject {
  return {
    '@context': [credentialsContext, tillitContext],
    id: `urn:uuid:00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`,
    type: ['VerifiableCredential', 'MeteringPointEntitlement'],
    issuer: city.utility.did,
    validFrom: city.clock.now.toISOString(),
    credentialSubject: {
      id: 'did:example:holder',
      gsrn: '707057500000000001',
      metering_point: point,
      role: 'holder',
      from: '2025-01-01T00:00:00Z',
    },
    ...changes,
  }
}

function anything(changes: object = {}): JsonObject {
  return {
    '@context': [credentialsContext],
    type: ['VerifiableCredential', 'https://example.org/Membership'],
    credentialSubject: { 'https://example.org/member': true },
    ...changes,
  }
}

const issue = (credential: JsonObject, options: object = {}) =>
  city.call(organisation(city.utility), 'POST', '/credentials/issue', { credential, options })
const verify = (verifiableCredential: unknown) =>
  city.call(null, 'POST', '/credentials/verify', { verifiableCredential })
const setStatus = (credentialId: string, statusPurpose: string, status: boolean, entry: object = {}) =>
  city.call(organisation(city.utility), 'POST', '/credentials/status', {
    credentialId,
    credentialStatus: { type: 'BitstringStatusListEntry', statusPurpose, ...entry },
    status,
  })

function issuedIn({ status, text, body }: Answer): JsonObject {
  if (status !== 201) throw new Error(`not issued but ${status}: ${text}`)
  return body.verifiableCredential as JsonObject
}

const codes = ({ body }: Answer) => (body.errors as { code: string }[] | undefined)?.map(({ code }) => code)

describe.each(formats)('in the format %s', (format) => {
  test('a credential is issued with a status of its own, verifies, and is trusted here', async () => {
    const answer = await issue(entitlement(), { format })
    const { status, body } = await verify(issuedIn(answer))
    expect(status).toBe(200)
    expect(body).toMatchObject({ verified: true, controller: city.utility.did, errors: [], warnings: [] })
    const entries = (body.document as JsonObject).credentialStatus as JsonObject[]
    expect(entries.map(({ statusPurpose }) => statusPurpose)).toEqual(['revocation', 'suspension'])
    expect(new Set(entries.map(({ statusListIndex }) => statusListIndex)).size).toBe(1)
  })

  test('a credential of any other type verifies too, with the warning that nobody here trusts it for anything', async () => {
    const { status, body } = await verify(issuedIn(await issue(anything(), { format })))
    expect(status).toBe(200)
    expect(body).toMatchObject({ verified: true, warnings: [{ code: 'unknown-credential-type' }] })
  })

  test('revoking it, by the name that it has, makes it verify no more, for good', async () => {
    const credential = entitlement()
    const id = String(credential.id)
    const issued = issuedIn(await issue(credential, { format }))
    expect((await setStatus(id, 'revocation', true)).status).toBe(200)
    expect((await setStatus(id, 'revocation', true)).status).toBe(200)
    const answer = await verify(issued)
    expect([answer.status, codes(answer)]).toEqual([400, ['credential-revoked']])
    const lifting = await setStatus(id, 'revocation', false)
    expect([lifting.status, codes(lifting)]).toEqual([409, ['conflict']])
  })

  test('suspending it holds until it is lifted', async () => {
    const issued = issuedIn(await issue(anything(), { format, credentialId: `mine-${format}` }))
    expect((await setStatus(`mine-${format}`, 'suspension', true)).status).toBe(200)
    expect(codes(await verify(issued))).toEqual(['credential-revoked'])
    expect((await setStatus(`mine-${format}`, 'suspension', false)).status).toBe(200)
    expect((await verify(issued)).status).toBe(200)
  })
})

test('the city’s own form of the same route tells these formats apart too', async () => {
  const enveloped = issuedIn(await issue(entitlement(), { format: 'vc+jwt' }))
  const jwt = String(enveloped.id).slice('data:application/vc+jwt,'.length)
  expect((await city.verify(jwt)).body).toMatchObject({ verified: true, format: 'vc+jwt', trusted: true })
  const withProof = JSON.stringify(issuedIn(await issue(entitlement())))
  expect((await city.verify(withProof)).body).toMatchObject({ verified: true, format: 'eddsa-jcs-2022', trusted: true })
})

test('a device that was enrolled so gets its credential again in its own way', async () => {
  const device = await newIdentity()
  await addDevice(city, device, point)
  const claims = { model: 'M1', serial: '7', metering_point: point }
  const enrolment = entitlement({
    type: ['VerifiableCredential', 'MeterDeviceCredential'],
    credentialSubject: { id: device.did, ...claims },
  })
  issuedIn(await issue(enrolment))
  const answer = await city.request({ kind: 'device', id: device.did }, 'MeterDeviceCredential', device)
  const [again = ''] = credentialsIn(answer)
  expect((await city.verify(again)).body).toMatchObject({ verified: true, claims })
})

test('an outsider verifies it with what the city publishes alone, and sees it revoked', async () => {
  const credential = entitlement()
  const issued = issuedIn(await issue(credential))
  const anyone = async () => {
    const resolveDid = async (did: string) => ({ ...(await resolver.resolve(did)) })
    return verifyCredential(issued, {
      ...{ resolveDid, now: city.clock.now },
      status: listStatusReader({
        ...{ issuerDids: [city.authority.did], resolveDid, now: () => city.clock.now },
        inflate: (bytes, maxOutputLength) => inflateSync(bytes, { maxOutputLength }),
        gunzip: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
        fetchList: async (uri) => (await city.call(null, 'GET', new URL(uri).pathname)).text,
      }),
      trust: {
        ...{ rootDid: city.registrar.did, authorityDids: [city.authority.did] },
        accreditationOf: async (did) => partyIn(await city.call(null, 'GET', `/trust/organisations/${did}`)).credential,
        keyIsCompromised: async () => false,
      },
    })
  }
  expect(await anyone()).toMatchObject({ format: 'eddsa-jcs-2022', type: 'MeteringPointEntitlement', status: 'valid' })
  await setStatus(String(credential.id), 'revocation', true)
  await expect(anyone()).rejects.toThrow(expect.objectContaining({ code: 'credential-revoked' }))
})

describe('nothing is issued', () => {
  test.each<[string, () => JsonObject, string]>([
    [
      'that is no credential',
      () => ({ ...anything(), type: ['https://example.org/Membership'] }),
      'invalid-credential',
    ],
    [
      'in a context that nobody knows',
      () => anything({ '@context': [credentialsContext, 'https://x.example/c'] }),
      'invalid-credential',
    ],
    ['with a status of its own', () => anything({ credentialStatus: { type: 'urn:x:S' } }), 'invalid-credential'],
    ['with a proof', () => anything({ proof: {} }), 'invalid-credential'],
    ['in the name of somebody else', () => anything({ issuer: 'did:web:other.example' }), 'invalid-credential'],
    [
      'of a type of ours with other claims',
      () => entitlement({ credentialSubject: { gsrn: '707057500000000001' } }),
      'invalid-credential',
    ],
    [
      'of a type of ours about two',
      () => entitlement({ credentialSubject: [{ role: 'holder' }, { role: 'holder' }] }),
      'invalid-credential',
    ],
    [
      'of a type of ours beside another',
      () =>
        entitlement({ type: ['VerifiableCredential', 'MeteringPointEntitlement', 'https://example.org/Membership'] }),
      'invalid-credential',
    ],
  ])('%s', async (_, credential, code) => {
    const answer = await issue(credential())
    expect([answer.status, codes(answer)]).toEqual([400, [code]])
  })

  test('that somebody else has to issue', async () => {
    const claims = { legal_name: 'X', registration_number: '1', country: 'NO', roles: ['utility'], purposes: [] }
    const accreditation = entitlement({
      type: ['VerifiableCredential', 'OrganisationCredential'],
      credentialSubject: claims,
    })
    expect(codes(await issue(accreditation))).toEqual(['role-required'])
  })

  test('about a metering point of another utility', async () => {
    const other = (await addHolder(city, await newIdentity())).point
    const { credentialSubject } = entitlement() as { credentialSubject: object }
    const answer = await issue(entitlement({ credentialSubject: { ...credentialSubject, metering_point: other } }))
    expect([answer.status, codes(answer)]).toEqual([403, ['role-required']])
  })

  test('that joins a metering point of the issuer to the number of another', async () => {
    const { credentialSubject } = entitlement() as { credentialSubject: object }
    const subject = { ...credentialSubject, gsrn: '707057500000000018' }
    const answer = await issue(entitlement({ credentialSubject: subject }))
    expect([answer.status, codes(answer)]).toEqual([400, ['invalid-credential']])
  })

  test('about all that somebody has, by a utility', async () => {
    const answer = await issue(
      entitlement({
        type: ['VerifiableCredential', 'RepresentationCredential'],
        credentialSubject: {
          represents: newId('cust'),
          role: 'guardian',
          powers: ['read'],
          from: '2026-01-01T00:00:00Z',
        },
      }),
    )
    expect([answer.status, codes(answer)]).toEqual([403, ['role-required']])
  })

  test('under a key that was reported as compromised', async () => {
    const other = await startCity()
    try {
      await other.accredit(other.utility)
      const key = { did: other.utility.did, jkt: thumbprint(other.utility.signer.publicKey) }
      const statement = await signKeyCompromise(key, { ...other.utility, now: other.clock.now })
      await other.call(null, 'POST', '/trust/compromised-keys', { statement })
      const answer = await other.call(organisation(other.utility), 'POST', '/credentials/issue', {
        credential: anything(),
      })
      expect([answer.status, codes(answer)]).toEqual([403, ['untrusted-issuer']])
    } finally {
      await other.stop()
    }
  })

  test('under a name that was given before', async () => {
    const credential = entitlement()
    issuedIn(await issue(credential))
    expect(codes(await issue(credential))).toEqual(['conflict'])
  })

  test('for an issuer for whom it is not enabled', async () => {
    const answer = await city.call(organisation(city.registrar), 'POST', '/credentials/issue', {
      credential: anything(),
    })
    expect([answer.status, codes(answer)]).toEqual([403, ['role-required']])
  })

  test('for nobody', async () => {
    const answer = await city.call(null, 'POST', '/credentials/issue', { credential: anything() })
    expect([answer.status, codes(answer)]).toEqual([401, ['missing-token']])
  })

  test.each<[string, object]>([
    ['without a credential', { options: {} }],
    ['with an option that VC-API does not have', { credential: {}, options: { unheard: 1 } }],
    [
      'with mandatory pointers, as nothing here discloses selectively',
      { credential: {}, options: { mandatoryPointers: ['/issuer'] } },
    ],
  ])('%s', async (_, body) => {
    const answer = await city.call(organisation(city.utility), 'POST', '/credentials/issue', body)
    expect(answer.status).toBe(400)
    expect(codes(answer)).toHaveLength(1)
  })
})

describe('a status is not changed', () => {
  test('of a credential that was not issued so', async () => {
    const answer = await setStatus('urn:uuid:none', 'revocation', true)
    expect([answer.status, codes(answer)]).toEqual([404, ['not-found']])
  })

  test('under the status entry of another credential', async () => {
    const credential = entitlement()
    issuedIn(await issue(credential))
    const answer = await setStatus(String(credential.id), 'revocation', true, { statusListIndex: '999999' })
    expect([answer.status, codes(answer)]).toEqual([400, ['invalid-request']])
  })

  test('by an issuer for whom VC-API is not enabled', async () => {
    const body = {
      credentialId: 'x',
      credentialStatus: { type: 'BitstringStatusListEntry', statusPurpose: 'revocation' },
      status: true,
    }
    expect(codes(await city.call(organisation(city.registrar), 'POST', '/credentials/status', body))).toEqual([
      'role-required',
    ])
  })
})

describe('what does not verify', () => {
  test.each<[string, (issued: JsonObject) => unknown, string]>([
    [
      'a changed claim',
      (d) => ({ ...d, credentialSubject: { ...(d.credentialSubject as object), role: 'co-occupant' } }),
      'invalid-credential-signature',
    ],
    ['a proof that is gone', ({ proof: _, ...d }) => d, 'invalid-credential'],
    [
      'an issuer that does not resolve',
      (d) => ({
        ...d,
        issuer: 'did:web:nobody.example',
        proof: { ...(d.proof as object), verificationMethod: 'did:web:nobody.example#key-1' },
      }),
      'did-not-found',
    ],
    ['a text that is no JWT', () => 'eyJ', 'invalid-credential'],
    ['an empty object', () => ({}), 'invalid-credential'],
  ])('%s is told with 400 and errors', async (_, change, code) => {
    const answer = await verify(change(issuedIn(await issue(entitlement()))))
    expect([answer.status, answer.body.verified, codes(answer)]).toEqual([400, false, [code]])
  })

  test('a credential that has ended', async () => {
    const before = city.clock.now
    const issued = issuedIn(await issue(anything({ validUntil: new Date(before.getTime() + 1000).toISOString() })))
    city.clock.now = new Date(before.getTime() + 2000)
    const answer = await verify(issued)
    city.clock.now = before
    expect([answer.status, codes(answer)]).toEqual([400, ['credential-expired']])
  })

  test('a credential of any type under a key that was reported as compromised', async () => {
    const issuer = await newIdentity()
    await city.accredit(issuer)
    const jwt = await secureVcJwt(anything({ issuer: issuer.did }), issuer)
    expect((await verify(jwt)).status).toBe(200)
    const key = { did: issuer.did, jkt: thumbprint(issuer.signer.publicKey) }
    const statement = await signKeyCompromise(key, { ...issuer, now: city.clock.now })
    expect((await city.call(null, 'POST', '/trust/compromised-keys', { statement })).status).toBeLessThan(300)
    expect(codes(await verify(jwt))).toEqual(['untrusted-issuer'])
  })

  test('a body of neither form', async () => {
    const answer = await city.call(null, 'POST', '/credentials/verify', { presentation: {} })
    expect(answer.status).toBe(400)
    expect(codes(answer)).toHaveLength(1)
  })
})

describe('a presentation', () => {
  const audience = 'https://verifier.example'
  const nonce = 'n-0S6_WzA2Mj'

  async function presented(credentials: (string | JsonObject)[]): Promise<string> {
    const holder = await newIdentity()
    const { did: holderDid, keyId, signer } = holder
    return presentVpJwt({ holderDid, keyId, signer, credentials, audience, nonce, now: city.clock.now })
  }
  const verifyPresentation = (
    verifiablePresentation: unknown,
    options: object = { challenge: nonce, domain: audience },
  ) => city.call(null, 'POST', '/presentations/verify', { verifiablePresentation, options })

  test('verifies with each of its credentials', async () => {
    const issued = [issuedIn(await issue(entitlement())), issuedIn(await issue(anything(), { format: 'vc+jwt' }))]
    const jwt = await presented(issued)
    const enveloped = {
      '@context': [credentialsContext],
      type: 'EnvelopedVerifiablePresentation',
      id: `data:application/vp+jwt,${jwt}`,
    }
    for (const presentation of [jwt, enveloped]) {
      const { status, body } = await verifyPresentation(presentation)
      expect(status).toBe(200)
      expect(body).toMatchObject({
        verified: true,
        credentialResults: [{ verified: true }, { verified: true }],
        errors: [],
      })
    }
  })

  test('is refused for another challenge or domain', async () => {
    const jwt = await presented([issuedIn(await issue(anything()))])
    expect(codes(await verifyPresentation(jwt, { challenge: 'other', domain: audience }))).toEqual(['invalid-nonce'])
    expect(codes(await verifyPresentation(jwt, { challenge: nonce, domain: 'https://other.example' }))).toEqual([
      'invalid-credential-signature',
    ])
  })

  test('is refused with every credential in it that does not verify, each named', async () => {
    const issued = issuedIn(await issue(anything()))
    const jwt = await presented([{ ...issued, name: 'changed' }, issued, { ...issued, proof: undefined }])
    const { status, body } = await verifyPresentation(jwt)
    expect(status).toBe(400)
    expect(body.errors).toMatchObject([
      { code: 'invalid-credential-signature', pointer: '/verifiableCredential/0' },
      { code: 'invalid-credential', pointer: expect.stringContaining('/verifiableCredential/2') },
    ])
  })
})
