import { setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vciIssuer } from '@openid4vc/openid4vci'
import { credentialRules } from '@tillit/credential'
import { verifyJws } from '@tillit/keys'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publicUrl, startCity, type TestCity } from './start-city.ts'
import { decode, seconds } from './wallet-requests.ts'

const path = '/.well-known/openid-credential-issuer'

let city: TestCity
beforeAll(async () => {
  city = await startCity()
})
afterAll(() => city.stop())

const get = (accept?: string) =>
  city.app.inject({ method: 'GET', url: path, headers: accept === undefined ? {} : { accept } })

interface Metadata {
  credential_configurations_supported: Record<
    string,
    { format: string; vct: string; scope: string; credential_metadata: { display: Named[]; claims: Claim[] } }
  >
}
interface Named {
  locale: string
  name: string
}
interface Claim {
  path: string[]
  display: Named[]
}

test('a wallet that is a web page of another origin reaches what wallets need, and may read what is refused', async () => {
  for (const [method, url] of [
    ['GET', path],
    ['GET', `/openid4vci/offers/${`offer_${'A'.repeat(22)}`}`],
    ['GET', '/credentials/types/MeteringPointEntitlement'],
    ['POST', '/openid4vci/nonce'],
    ['POST', '/openid4vci/credential'],
    ['POST', '/openid4vci/deferred-credential'],
    ['POST', '/openid4vci/notification'],
  ] as const) {
    const preflight = await city.app.inject({ method: 'OPTIONS', url })
    expect([url, preflight.statusCode]).toEqual([url, 204])
    expect(preflight.headers['access-control-allow-methods']).toContain(method)
    expect(preflight.headers['access-control-allow-headers']).toContain('dpop')
    expect((await city.app.inject({ method, url })).headers['access-control-allow-origin']).toBe('*')
  }
  for (const url of ['/openid4vci/offers', '/credentials'])
    expect((await city.app.inject({ method: 'OPTIONS', url })).statusCode).toBe(404)
})

describe('the metadata of the credential issuer', () => {
  test('is what an independent implementation takes for such', async () => {
    setGlobalConfig({ allowInsecureUrls: true })
    const reply = await get()
    expect(reply.headers['content-type']).toMatch(/^application\/json/)
    // The library's own checks throw; they need no keys.
    const library = new Openid4vciIssuer({ callbacks: {} as never })
    const metadata = library.createCredentialIssuerMetadata(reply.json())
    expect(metadata).toMatchObject({
      credential_issuer: publicUrl,
      authorization_servers: [`${publicUrl}/oauth`],
      credential_endpoint: `${publicUrl}/openid4vci/credential`,
      nonce_endpoint: `${publicUrl}/openid4vci/nonce`,
      deferred_credential_endpoint: `${publicUrl}/openid4vci/deferred-credential`,
      notification_endpoint: `${publicUrl}/openid4vci/notification`,
      batch_credential_issuance: { batch_size: 20 },
      credential_response_encryption: { alg_values_supported: ['ECDH-ES'], encryption_required: false },
      display: [{ name: 'City of Nordvik' }],
    })
    const known = library.getKnownCredentialConfigurationsSupported(metadata)
    expect(Object.keys(known)).toEqual(Object.keys(metadata.credential_configurations_supported))
  })

  test('holds every credential type, with names in English, Norwegian and Danish for it and its claims', async () => {
    const { credential_configurations_supported: configurations }: Metadata = (await get()).json()
    for (const type of Object.keys(credentialRules)) {
      const configuration = configurations[type]
      expect(configuration).toMatchObject({ format: 'dc+sd-jwt', scope: type, vct: expect.stringContaining(type) })
      const { display = [], claims = [] } = configuration?.credential_metadata ?? {}
      expect(claims.length).toBeGreaterThan(0)
      for (const names of [display, ...claims.map((claim) => claim.display)]) {
        expect(names.map(({ locale }) => locale)).toEqual(['en', 'nb', 'da'])
        for (const { name } of names) expect(name).not.toBe('')
      }
    }
  })

  test('offers each type also in the formats of the W3C', async () => {
    const { credential_configurations_supported: configurations } = (await get()).json()
    const types = ['VerifiableCredential', 'ConsentReceipt']
    expect(configurations['ConsentReceipt.jwt_vc_json']).toMatchObject({
      ...{ format: 'jwt_vc_json', scope: 'ConsentReceipt.jwt_vc_json', credential_definition: { type: types } },
    })
    expect(configurations['ConsentReceipt.ldp_vc']).toMatchObject({
      format: 'ldp_vc',
      credential_definition: {
        '@context': [expect.stringContaining('w3.org/ns/credentials/v2'), expect.any(String)],
        type: types,
      },
      credential_signing_alg_values_supported: ['eddsa-jcs-2022'],
    })
    const { claims } = configurations['MeteringPointEntitlement.ldp_vc'].credential_metadata
    expect(claims.map(({ path }: Claim) => path.join('.'))).toEqual(
      ['gsrn', 'metering_point', 'role', 'from'].map((name) => `credentialSubject.${name}`),
    )
  })

  test('says that attested keys are taken only where attesters are trusted', async () => {
    const proofTypes = (metadata: object) =>
      Object.values(
        (metadata as { credential_configurations_supported: Record<string, { proof_types_supported: object }> })
          .credential_configurations_supported,
      ).map((configuration) => Object.keys(configuration.proof_types_supported))
    expect(new Set(proofTypes((await get()).json()).flat())).toEqual(new Set(['jwt']))
    const attesters = {
      keys: new Map([['attester', city.registrar.signer.publicKey]]),
      certificates: [],
      required: true,
    }
    const other = await startCity({ keyAttesters: attesters })
    const metadata = (await other.app.inject({ method: 'GET', url: path })).json()
    await other.stop()
    expect(new Set(proofTypes(metadata).flat())).toEqual(new Set(['jwt', 'attestation']))
    expect(metadata.credential_configurations_supported.ConsentReceipt.proof_types_supported.jwt).toEqual({
      proof_signing_alg_values_supported: ['EdDSA', 'ES256'],
      key_attestations_required: {},
    })
  })

  test('is signed by the authority of the city for those who ask for a JWT', async () => {
    const reply = await get('application/jwt')
    expect(reply.headers['content-type']).toBe('application/jwt')
    const { payload } = verifyJws(reply.body, city.authority.signer.publicKey, {
      typ: 'openidvci-issuer-metadata+jwt',
    })
    expect(decode(reply.body).header).toMatchObject({ kid: city.authority.keyId })
    const { iss, sub, iat, exp, ...metadata } = payload
    expect([iss, sub, iat]).toEqual([city.authority.did, publicUrl, seconds(city)])
    expect(Number(exp)).toBeGreaterThan(Number(iat))
    expect(metadata).toEqual((await get('application/json')).json())
  })

  test.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['text/html', 'application/json'],
    ['application/json, application/jwt;q=0.5', 'application/json'],
    ['application/jwt, application/json', 'application/json'],
    ['application/jwt;q=0.9, application/json;q=0.1', 'application/jwt'],
    ['application/jwt, */*', 'application/jwt'],
    ['application/jwt;q=0', 'application/json'],
    ['Application/JWT', 'application/jwt'],
  ])('comes to %s as %s', async (accept, type) => {
    const reply = await get(accept)
    expect(reply.statusCode).toBe(200)
    expect(String(reply.headers['content-type']).split(';')[0]).toBe(type)
    expect(reply.headers.vary).toContain('accept')
  })
})
