import { generatePrivateJwk, type Signer, signerFromJwk, toPublicJwk } from '@tillit/keys'
import { CompactEncrypt, importJWK, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  addHolder,
  credentialsIn,
  type Identity,
  newIdentity,
  organisation,
  startCity,
  type TestCity,
} from '../../services/credentials/test/start-city.ts'
import {
  addWallet,
  ask,
  askFor,
  forEntitlement,
  freshNonce,
  identifierOf,
  jwtProof,
  keyAttestation,
  type ProofParts,
  seconds,
  type Wallet,
} from '../../services/credentials/test/wallet-requests.ts'

/*
 * The negative modules of oid4vci-1_0-issuer-test-plan (OpenID conformance suite, vci10issuer) that concern the credential
 * issuer, each under its name there, and the demands of OpenID4VCI 1.0 that the plan leaves out, under their sections. The
 * modules about client attestation concern the authorization server and are tested there.
 */

let city: TestCity
let key: Identity
let attester: Signer
let wallet: Wallet
beforeAll(async () => {
  attester = await newSigner()
  const keyAttesters = { keys: new Map([['attester', attester.publicKey]]), certificates: [], required: false }
  city = await startCity({ keyAttesters })
  await city.accredit(city.utility)
  key = await newIdentity()
  wallet = (await addWallet(city)).wallet
})
afterAll(() => city.stop())

async function newSigner(alg: 'EdDSA' | 'ES256' = 'EdDSA'): Promise<Signer> {
  return signerFromJwk(await generatePrivateJwk(alg))
}

/** Sections 8.3.1.2, 9.3 and 11.3: the status, the media type, the code, what the text may hold, and that nobody keeps it. */
function expectError(answer: Answer, error: string, status = 400): void {
  expect(answer.body).toMatchObject({ error })
  expect(answer.status).toBe(status)
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(Object.keys(answer.body).sort()).toEqual(
    'error_description' in answer.body ? ['error', 'error_description'] : ['error'],
  )
  expect(String(answer.body.error_description ?? '')).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/)
}

const askWith = async (proofs: unknown, by: Wallet = wallet): Promise<Answer> =>
  askFor(city, by, { credential_identifier: identifierOf(by), ...(proofs === undefined ? {} : { proofs }) })

const proofOf = async (parts: ProofParts = {}) => jwtProof(city, key, await freshNonce(city), parts)

describe('oid4vci-1_0-issuer-fail-invalid-nonce', () => {
  test('a nonce that the issuer never gave', async () => {
    expectError(await ask(city, wallet, key, { payload: { nonce: 'invalid' } }), 'invalid_nonce')
  })

  test('a nonce that has expired', async () => {
    const nonce = await freshNonce(city)
    const before = city.clock.now
    city.clock.now = new Date(before.getTime() + 5 * 60_000)
    const answer = await ask(city, wallet, key, { payload: { nonce } })
    city.clock.now = before
    expectError(answer, 'invalid_nonce')
  })

  test('one proof of a batch with such a nonce', async () => {
    const jwt = [await proofOf(), await jwtProof(city, await newIdentity(), 'invalid')]
    expectError(await askWith({ jwt }), 'invalid_nonce')
  })
})

describe('oid4vci-1_0-issuer-fail-replay-nonce', () => {
  test('the same proof a second time', async () => {
    const proofs = { jwt: [await proofOf()] }
    expect(credentialsIn(await askWith(proofs))).toHaveLength(1)
    expectError(await askWith(proofs), 'invalid_nonce')
  })

  test('the same nonce with the access token of another holder', async () => {
    const nonce = await freshNonce(city)
    credentialsIn(await ask(city, wallet, key, { payload: { nonce } }))
    const { wallet: other } = await addWallet(city)
    expectError(await ask(city, other, await newIdentity(), { payload: { nonce } }), 'invalid_nonce')
  })

  test('of many at once with one nonce, under two tokens, one gets its credential', async () => {
    const nonce = await freshNonce(city)
    const { wallet: other } = await addWallet(city)
    const answers = await Promise.all(
      [wallet, other, wallet, other, wallet, other].map((by) => ask(city, by, key, { payload: { nonce } })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 'invalid_nonce')
  })

  test('the nonce of an attestation as that of a proof', async () => {
    const nonce = await freshNonce(city)
    const attestation = await keyAttestation(city, attester, { keys: [key.signer.publicKey], payload: { nonce } })
    credentialsIn(await askWith({ attestation: [attestation] }))
    expectError(await askWith({ attestation: [attestation] }), 'invalid_nonce')
    expectError(await askWith({ jwt: [await jwtProof(city, key, nonce)] }), 'invalid_nonce')
  })
})

describe('oid4vci-1_0-issuer-fail-invalid-jwt-proof-signature', () => {
  test('a signature by another key than the proof shows', async () => {
    expectError(await ask(city, wallet, key, { signer: await newSigner() }), 'invalid_proof')
  })

  test.each([0, 1, 2])('a bit turned in part %i of the proof', async (part) => {
    const parts = (await proofOf()).split('.')
    const bytes = Buffer.from(parts[part] ?? '', 'base64url')
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    parts[part] = bytes.toString('base64url')
    expectError(await askWith({ jwt: [parts.join('.')] }), 'invalid_proof')
  })

  test('an ES256 signature that is none, and one that is', async () => {
    const signer = await newSigner('ES256')
    const header = { jwk: toPublicJwk(signer.publicKey) }
    expectError(await ask(city, wallet, key, { header, signer: await newSigner('ES256') }), 'invalid_proof')
    expect(credentialsIn(await ask(city, wallet, key, { header, signer }))).toHaveLength(1)
  })

  test('a refused proof leaves its nonce to be used', async () => {
    const nonce = await freshNonce(city)
    expectError(await ask(city, wallet, key, { payload: { nonce }, signer: await newSigner() }), 'invalid_proof')
    expect(credentialsIn(await ask(city, wallet, key, { payload: { nonce } }))).toHaveLength(1)
  })
})

describe('oid4vci-1_0-issuer-fail-invalid-key-attestation-signature', () => {
  const attested = async (parts: ProofParts = {}) => {
    const nonce = await freshNonce(city)
    return keyAttestation(city, attester, {
      keys: [key.signer.publicKey],
      ...parts,
      payload: { nonce, ...parts.payload },
    })
  }

  test.each<[string, () => Promise<ProofParts>]>([
    ['signed by somebody else under the name of the attester', async () => ({ signer: await newSigner() })],
    ['by an attester that is not trusted', async () => ({ header: { kid: 'another' }, signer: await newSigner() })],
    [
      'that brings its own key',
      async () => {
        const signer = await newSigner()
        return { header: { kid: undefined, jwk: toPublicJwk(signer.publicKey) }, signer }
      },
    ],
    ['of another type', async () => ({ header: { typ: 'JWT' } })],
    ['that has expired', async () => ({ payload: { exp: seconds(city) - 1 } })],
    ['from the future', async () => ({ payload: { iat: seconds(city) + 3600 } })],
    ['without a time', async () => ({ payload: { iat: undefined } })],
    ['without a nonce', async () => ({ payload: { nonce: undefined } })],
    ['without keys', async () => ({ payload: { attested_keys: [] } })],
    ['of a private key', async () => ({ payload: { attested_keys: [await generatePrivateJwk()] } })],
    ['of a small-order key', async () => ({ payload: { attested_keys: [smallOrderJwk] } })],
  ])('an attestation %s, as a proof and in the header of one', async (_, parts) => {
    expectError(await askWith({ attestation: [await attested(await parts())] }), 'invalid_proof')
    const header = { key_attestation: await attested(await parts()) }
    expectError(await askWith({ jwt: [await proofOf({ header })] }), 'invalid_proof')
  })

  test('an attestation that ends nowhere, in the header of a proof', async () => {
    const header = { key_attestation: await attested({ payload: { exp: undefined } }) }
    expectError(await askWith({ jwt: [await proofOf({ header })] }), 'invalid_proof')
  })

  test('a nonce that the issuer never gave, in an attestation beside a good proof', async () => {
    const header = { key_attestation: await attested({ payload: { nonce: 'invalid' } }) }
    expectError(await askWith({ jwt: [await proofOf({ header })] }), 'invalid_nonce')
  })

  test('a proof by a key that is not attested (appendix D.1)', async () => {
    const header = { key_attestation: await attested() }
    expectError(await ask(city, wallet, await newIdentity(), { header }), 'invalid_proof')
  })

  test('a proof that names an attested key and is signed by another', async () => {
    const attested_keys = [{ ...toPublicJwk(key.signer.publicKey), kid: '0' }]
    const header = { jwk: undefined, kid: '0', key_attestation: await attested({ payload: { attested_keys } }) }
    expectError(await askWith({ jwt: [await proofOf({ header, signer: await newSigner() })] }), 'invalid_proof')
  })

  test('two attestations where one is taken (appendix F)', async () => {
    expectError(await askWith({ attestation: [await attested(), await attested()] }), 'invalid_proof')
  })

  test('no attestation where one is required', async () => {
    const strict = await startCity({
      keyAttesters: { keys: new Map([['attester', attester.publicKey]]), certificates: [], required: true },
    })
    try {
      await strict.accredit(strict.utility)
      const { wallet: by } = await addWallet(strict)
      expectError(await ask(strict, by, key), 'invalid_proof')
    } finally {
      await strict.stop()
    }
  })

  test('an attestation where no attester is trusted', async () => {
    const plain = await startCity()
    try {
      const { wallet: by } = await addWallet(plain)
      const header = { key_attestation: await attested() }
      expectError(await ask(plain, by, key, { header }), 'invalid_proof')
    } finally {
      await plain.stop()
    }
  })
})

describe('oid4vci-1_0-issuer-fail-missing-proof', () => {
  test.each<[string, unknown]>([
    ['no proofs', undefined],
    ['no type of proof', {}],
    ['an empty array', { jwt: [] }],
    ['no array', { jwt: 'eyJ' }],
    ['numbers for proofs', { jwt: [1] }],
    ['an unknown type of proof', { di_vp: [{}] }],
    ['something else than a JWT', { jwt: ['not a JWT'] }],
    ['an unsigned JWT', { jwt: ['eyJhbGciOiJub25lIn0.e30.'] }],
  ])('%s', async (_, proofs) => {
    expectError(await askWith(proofs), 'invalid_proof')
  })

  test('proofs of two types at once', async () => {
    expectError(await askWith({ jwt: [await proofOf()], attestation: [] }), 'invalid_proof')
  })

  test('more proofs than batch_size', async () => {
    const jwt = Array.from({ length: 21 }, () => 'eyJ')
    expectError(await askWith({ jwt }), 'invalid_proof')
  })
})

describe('appendix F.1 and F.4: a proof', () => {
  test.each<[string, ProofParts]>([
    ['for another issuer', { payload: { aud: 'https://other.example' } }],
    ['for several issuers', { payload: { aud: ['http://city.test'] } }],
    ['for nobody', { payload: { aud: undefined } }],
    ['by another client', { payload: { iss: 'somebody-else' } }],
    ['from an hour ago', { payload: { iat: 1_700_000_000 } }],
    ['without a time', { payload: { iat: undefined } }],
    ['without a nonce', { payload: { nonce: undefined } }],
    ['with a nonce that is no text', { payload: { nonce: 1 } }],
    ['of another type', { header: { typ: 'JWT' } }],
    ['that shows no key', { header: { jwk: undefined } }],
    ['that shows two keys', { header: { kid: 'did:example:1#key' } }],
    ['with a certificate', { header: { jwk: undefined, x5c: ['MIIB'] } }],
    ['with a key that nobody knows', { header: { jwk: undefined, kid: '1' } }],
    ['with the key of a DID that does not resolve', { header: { jwk: undefined, kid: 'did:webvh:x:city.test:y#z' } }],
    ['with a critical extension', { header: { crit: ['exp'] } }],
  ])('%s', async (_, parts) => {
    expectError(await ask(city, wallet, key, parts), 'invalid_proof')
  })

  test('that shows a private key', async () => {
    const jwk = await generatePrivateJwk()
    expectError(await ask(city, wallet, key, { header: { jwk }, signer: await signerFromJwk(jwk) }), 'invalid_proof')
  })

  test('with a small-order key, which one signature fits for everything', async () => {
    const signer: Signer = { ...key.signer, sign: async () => new Uint8Array(64) }
    expectError(await ask(city, wallet, key, { header: { jwk: smallOrderJwk }, signer }), 'invalid_proof')
  })
})

describe('oid4vci-1_0-issuer-fail-unsupported-encryption-algorithm', () => {
  const responseKey: JWK = {
    kty: 'EC',
    crv: 'P-256',
    x: 'TCAER19Zvu3OHF4j4W4vfSVoHIP1ILilDls7vCeGemc',
    y: 'ZxjiWWbZMQGHVWKVQ4hbSIirsVfuecCE6t4jT9F2HZQ',
    alg: 'ECDH-ES',
  }

  async function encrypt(request: object, header: object = {}): Promise<string> {
    const { body } = await city.call(null, 'GET', '/.well-known/openid-credential-issuer')
    const [jwk = {}] = (body.credential_request_encryption as { jwks: { keys: JWK[] } }).jwks.keys
    return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(request)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A128GCM', kid: jwk.kid ?? '', ...header })
      .encrypt(await importJWK(jwk, 'ECDH-ES'))
  }

  test.each<[string, object]>([
    ['an unknown enc', { jwk: responseKey, enc: 'XOR' }],
    ['an enc that is not offered', { jwk: responseKey, enc: 'A128CBC-HS256' }],
    ['an unknown alg', { jwk: { ...responseKey, alg: 'RSA1_5' }, enc: 'A128GCM' }],
    ['no alg', { jwk: { ...responseKey, alg: undefined }, enc: 'A128GCM' }],
    ['compression', { jwk: responseKey, enc: 'A128GCM', zip: 'DEF' }],
    ['a key for signatures', { jwk: { ...responseKey, use: 'sig' }, enc: 'A128GCM' }],
    ['a point that is not on its curve', { jwk: { ...responseKey, x: responseKey.y }, enc: 'A128GCM' }],
    [
      'a key for another algorithm',
      { jwk: { kty: 'OKP', crv: 'X25519', x: responseKey.x, alg: 'ECDH-ES' }, enc: 'A128GCM' },
    ],
    ['a private key', { jwk: { ...responseKey, d: responseKey.x }, enc: 'A128GCM' }],
  ])('%s', async (_, credential_response_encryption) => {
    const nonce = await freshNonce(city)
    const request = {
      credential_identifier: identifierOf(wallet),
      proofs: { jwt: [await jwtProof(city, key, nonce)] },
      credential_response_encryption,
    }
    expectError(await askFor(city, wallet, await encrypt(request)), 'invalid_encryption_parameters')
    expect(credentialsIn(await ask(city, wallet, key, { payload: { nonce } }))).toHaveLength(1)
  })

  test('section 8.2: a request for an encrypted response that is not encrypted itself', async () => {
    const request = {
      credential_identifier: identifierOf(wallet),
      proofs: { jwt: [await proofOf()] },
      credential_response_encryption: { jwk: responseKey, enc: 'A128GCM' },
    }
    expectError(await askFor(city, wallet, request), 'invalid_encryption_parameters')
  })

  test.each<[string, () => Promise<string>]>([
    ['cannot be decrypted', async () => (await encrypt({})).replace(/\.[^.]+$/, '.AAAAAAAAAAAAAAAAAAAAAA')],
    ['is no JWE', async () => 'a.b.c'],
    ['names no key', () => encrypt({}, { kid: undefined })],
    ['names another key', () => encrypt({}, { kid: 'another' })],
    ['is encrypted in a way that is not offered', () => encrypt({}, { enc: 'A256CBC-HS512' })],
  ])('section 10: a request that %s', async (_, make) => {
    expectError(await askFor(city, wallet, await make()), 'invalid_encryption_parameters')
  })

  test('section 10: what is no request stays none when it is encrypted', async () => {
    expectError(await askFor(city, wallet, await encrypt({ credential_identifier: 1 })), 'invalid_credential_request')
  })

  test('section 9.1: the same at the deferred credential endpoint', async () => {
    const request = { transaction_id: 'x', credential_response_encryption: { jwk: responseKey, enc: 'XOR' } }
    const path = '/openid4vci/deferred-credential'
    expectError(await city.call(wallet, 'POST', path, await encrypt(request)), 'invalid_encryption_parameters')
  })
})

describe('oid4vci-1_0-issuer-fail-unknown-credential-configuration', () => {
  test('a configuration that is not in the metadata', async () => {
    const request = { credential_configuration_id: 'UnknownCredential', proofs: { jwt: [await proofOf()] } }
    expectError(await askFor(city, wallet, request), 'unknown_credential_configuration')
  })

  test('section 8.3.1.1: one that is, but that the access token is not for', async () => {
    const request = { credential_configuration_id: 'ConsentReceipt', proofs: { jwt: [await proofOf()] } }
    const answer = await askFor(city, wallet, request)
    expectError(answer, 'insufficient_scope', 403)
    expect(answer.headers['www-authenticate']).toMatch(/^DPoP .*error="insufficient_scope"/)
  })
})

describe('oid4vci-1_0-issuer-fail-unknown-credential-identifier', () => {
  test.each(['unknown', 'ConsentReceipt', 'MeteringPointEntitlement', 'MeteringPointEntitlement:mp_of_somebody_else'])(
    '%s, which is not one of the access token',
    async (credential_identifier) => {
      const request = { credential_identifier, proofs: { jwt: [await proofOf()] } }
      expectError(await askFor(city, wallet, request), 'unknown_credential_identifier')
    },
  )
})

describe('section 8.2: a credential request', () => {
  test.each<[string, object]>([
    ['that says nothing', {}],
    ['that names a credential in two ways', { credential_configuration_id: 'A', credential_identifier: 'B' }],
    ['with a number for an identifier', { credential_identifier: 1 }],
    ['with text for its proofs', { credential_identifier: 'A', proofs: 'jwt' }],
    [
      'that asks for encryption without a key',
      { credential_identifier: 'A', credential_response_encryption: { enc: 'A' } },
    ],
  ])('%s', async (_, request) => {
    expectError(await askFor(city, wallet, request), 'invalid_credential_request')
  })

  test.each([
    ['that is no JSON', 'application/json', '{'],
    ['with a member twice', 'application/json', '{"credential_identifier":"A","credential_identifier":"B"}'],
    ['of another media type', 'application/x-www-form-urlencoded', 'credential_identifier=A'],
    ['that is empty', 'application/json', ''],
  ])('%s', async (_, type, payload) => {
    const answer = await city.callRaw(wallet, '/openid4vci/credential', { type, payload })
    expectError(answer, 'invalid_credential_request')
  })

  test('about somebody of whom there is nothing to say', async () => {
    expectError(await ask(city, forEntitlement('cust_nobody'), key), 'credential_request_denied')
  })

  test('for what a suspended utility would have to say', async () => {
    const utility = await newIdentity()
    await city.accredit(utility, { registration_number: '1' })
    const { customer } = await addHolder(city, utility)
    const path = `/trust/organisations/${utility.did}/suspension`
    expect((await city.call(organisation(city.registrar), 'POST', path)).status).toBe(200)
    expectError(await ask(city, forEntitlement(customer.id), key), 'credential_request_denied')
  })
})

describe('oid4vci-1_0-issuer-fail-on-access-token-in-query', () => {
  test.each(['/openid4vci/credential', '/openid4vci/deferred-credential', '/openid4vci/notification'])(
    'at %s, alone or beside a good one',
    async (path) => {
      const alone = await city.app.inject({ method: 'POST', url: `${path}?access_token=eyJ`, payload: {} })
      expect(alone.statusCode).toBe(400)
      const beside = await city.call(wallet, 'POST', `${path}?access_token=eyJ`, {})
      expect(beside.status).toBe(400)
    },
  )
})

describe('section 8.3.1.1 and RFC 6750: an access token', () => {
  test.each([
    ['that is missing', {}],
    ['that is none', { authorization: 'DPoP abc', dpop: 'abc' }],
    ['that is shown as a bearer token', { authorization: 'Bearer abc' }],
  ])('%s', async (_, headers) => {
    const reply = await city.app.inject({ method: 'POST', url: '/openid4vci/credential', headers, payload: {} })
    expect(reply.statusCode).toBe(401)
    expect(reply.headers['www-authenticate']).toMatch(/^DPoP /)
    expect(reply.json()).toMatchObject({ error: 'invalid_token' })
  })
})

const smallOrderJwk = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: Buffer.from([1, ...Array.from({ length: 31 }, () => 0)]).toString('base64url'),
}
