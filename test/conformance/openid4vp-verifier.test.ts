import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { generatePrivateJwk, signerFromJwk, signJws, toPublicJwk } from '@tillit/keys'
import { decodeJwt, decodeProtectedHeader, type JWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type Asked,
  startVerifier,
  type TestVerifier,
  verifierUrl,
} from '../../services/verifier/test/start-verifier.ts'
import {
  createPresentingWallet,
  type Holder,
  type Misbehaviour,
  type PresentingWallet,
} from '../packages/independent-wallet/present-credential.ts'
import { walletKeyFrom } from '../packages/independent-wallet/wallet-key.ts'

/**
 * What the test plan oid4vp-1final-verifier-test-plan of the OpenID conformance suite asks of a verifier of SD-JWT VCs, with
 * its names of modules. The wallet is built on libraries of others, and each test says what the suite would look at.
 */

const plan = 'oid4vp-1final-verifier'
let verifier: TestVerifier
let wallet: PresentingWallet
let holder: Holder

beforeAll(async () => {
  verifier = await startVerifier()
}, 60_000)

afterAll(() => verifier.stop())

beforeEach(async () => {
  verifier.city.clock.now = new Date()
  wallet = createPresentingWallet({ fetch: verifier.fetch, resolveKey })
  holder = { credentials: [(await verifier.entitlement()).credential], key: await walletKeyFrom(verifier.holder.jwk) }
})

async function resolveKey(didUrl: string): Promise<JWK> {
  const { authority } = verifier.city
  if (didUrl !== authority.keyId) throw new Error('the wallet does not know this DID')
  return { ...toPublicJwk(authority.signer.publicKey) }
}

function ask(changes: object = {}): Promise<Asked> {
  return verifier.ask({ preset: { name: 'may-act-for-metering-point', metering_point: verifier.point }, ...changes })
}

async function stateOf(asked: Asked) {
  return (await verifier.read(asked)).body
}

/** A wallet that does one thing wrong is told so, and so is the organisation that asked. */
async function expectRefused(misbehaviour: Misbehaviour, code: string, changes: object = {}): Promise<void> {
  const asked = await ask(changes)
  const request = await wallet.resolve(asked.request.links.openid4vp)
  const reply = await wallet.answer(request, holder, misbehaviour)
  expect(reply.status).toBe(400)
  expect(reply.headers.get('content-type')).toMatch(/^application\/json/)
  expect(await reply.json()).toEqual({ error: 'invalid_request', error_description: expect.any(String) })
  expect(await stateOf(asked)).toMatchObject({ state: 'refused', error: { error: code } })
  // The request is over: a wallet that tries again, and now does it right, is too late.
  expect((await wallet.answer(request, holder)).status).toBe(410)
}

describe('a wallet that does everything right', () => {
  test.each(['direct_post.jwt', 'direct_post'])(`${plan}-happy-flow: %s`, async (mode) => {
    const asked = await ask({ response_mode: mode })
    const request = await wallet.resolve(asked.request.links.openid4vp)
    const reply = await wallet.answer(request, holder)
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/)
    expect(reply.headers.get('cache-control')).toBe('no-store')
    expect(await reply.json()).toEqual({})
    expect(await stateOf(asked)).toMatchObject({
      state: 'proved',
      credentials: [
        { query: 'entitlement', type: 'MeteringPointEntitlement', claims: { metering_point: verifier.point } },
      ],
    })
  })

  test(`${plan}-happy-flow: the request is as the specification has it`, async () => {
    const asked = await ask()
    const link = new URL(asked.request.links.openid4vp)
    expect(Object.fromEntries(link.searchParams)).toEqual({
      client_id: `decentralized_identifier:${verifier.city.authority.did}`,
      request_uri: asked.request.request_uri,
      request_uri_method: 'post',
    })
    expect(new URL(asked.request.request_uri)).toMatchObject({ protocol: 'https:', hash: '' })
    const reply = await verifier.fetch(asked.request.request_uri)
    expect(reply.headers.get('content-type')).toMatch(/^application\/oauth-authz-req\+jwt/)
    const object = await reply.text()
    expect(decodeProtectedHeader(object)).toEqual({
      ...{ alg: 'EdDSA', typ: 'oauth-authz-req+jwt', kid: verifier.city.authority.keyId },
    })
    const claims = decodeJwt(object)
    expect(claims).toMatchObject({
      response_type: 'vp_token',
      response_mode: 'direct_post.jwt',
      client_id: link.searchParams.get('client_id'),
      aud: 'https://self-issued.me/v2',
      client_metadata: {
        vp_formats_supported: {
          'dc+sd-jwt': { 'sd-jwt_alg_values': ['ES256', 'EdDSA'], 'kb-jwt_alg_values': ['ES256', 'EdDSA'] },
          jwt_vc_json: { alg_values: ['ES256', 'EdDSA'] },
        },
        encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'],
        jwks: { keys: [{ kty: 'EC', crv: 'P-256', alg: 'ECDH-ES', use: 'enc', kid: expect.any(String) }] },
      },
    })
    expect(String(claims.response_uri)).toMatch(`${verifierUrl}/openid4vp/responses/`)
    expect(String(claims.nonce)).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(300)
    expect(JSON.stringify(claims.client_metadata)).not.toContain('"d":')
    for (const absent of ['redirect_uri', 'scope', 'client_id_scheme', 'request', 'request_uri', 'sub', 'wallet_nonce'])
      expect(claims).not.toHaveProperty(absent)
  })

  test(`${plan}-happy-flow: no two requests share a nonce or an encryption key`, async () => {
    const objects = await Promise.all(
      [await ask(), await ask()].map(async ({ request }) =>
        decodeJwt(await (await verifier.fetch(request.request_uri)).text()),
      ),
    )
    const [one, other] = objects.map(({ nonce, client_metadata }) => ({
      nonce,
      client_metadata: client_metadata as object,
    }))
    expect(one?.nonce).not.toBe(other?.nonce)
    expect(one?.client_metadata).not.toEqual(other?.client_metadata)
  })

  test(`${plan}-minimal-cnf-jwk`, async () => {
    const [, payload = ''] = holder.credentials[0]?.split('~')[0]?.split('.') ?? []
    const { cnf } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { cnf: { jwk: object } }
    expect(Object.keys(cnf.jwk).sort()).toEqual(['crv', 'kty', 'x'])
    const asked = await ask()
    await wallet.answer(await wallet.resolve(asked.request.links.openid4vp), holder)
    expect(await stateOf(asked)).toMatchObject({ state: 'proved' })
  })

  test(`${plan}-request-uri-method-post: the nonce of the wallet comes back, signed`, async () => {
    const asked = await ask()
    const post = (form: Record<string, string>) =>
      verifier.fetch(asked.request.request_uri, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/oauth-authz-req+jwt' },
        body: new URLSearchParams(form),
      })
    const reply = await post({ wallet_nonce: 'qPmxiNFCR3QTm19POc8u', unknown: 'is ignored' })
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toMatch(/^application\/oauth-authz-req\+jwt/)
    expect(decodeJwt(await reply.text())).toMatchObject({ wallet_nonce: 'qPmxiNFCR3QTm19POc8u' })

    const metadata = {
      vp_formats_supported: { 'dc+sd-jwt': {} },
      request_object_signing_alg_values_supported: ['EdDSA'],
      authorization_encryption_enc_values_supported: ['A256GCM', 'A256CBC-HS512'],
    }
    const suited = decodeJwt(await (await post({ wallet_metadata: JSON.stringify(metadata) })).text())
    expect(suited.client_metadata).toMatchObject({ encrypted_response_enc_values_supported: ['A256GCM'] })
  })

  test(`${plan}-request-uri-fetched-twice: a request is served again while it is open, the same one`, async () => {
    const asked = await ask()
    const first = decodeJwt(await (await verifier.fetch(asked.request.request_uri)).text())
    verifier.city.clock.now = new Date(verifier.city.clock.now.getTime() + 2000)
    const again = decodeJwt(await (await verifier.fetch(asked.request.request_uri)).text())
    expect({ ...again, iat: 0 }).toEqual({ ...first, iat: 0 })
    const [one, other] = [
      await wallet.resolve(asked.request.links.openid4vp),
      await wallet.resolve(asked.request.links.openid4vp),
    ]
    expect((await wallet.answer(one, holder)).status).toBe(200)
    // Fetched twice is answered once.
    expect((await wallet.answer(other, holder)).status).toBe(410)
    const gone = await verifier.fetch(asked.request.request_uri)
    expect(gone.status).toBe(410)
    expect(await gone.json()).toMatchObject({ error: 'invalid_request' })
  })
})

describe('a wallet that does one thing wrong', () => {
  test(`${plan}-invalid-kb-jwt-signature: by another key`, async () => {
    await expectRefused({ signWith: await walletKeyFrom(await generatePrivateJwk()) }, 'invalid-credential-signature')
  })

  test(`${plan}-invalid-kb-jwt-signature: with one bit changed`, async () => {
    await expectRefused({ spoil: flipLast }, 'invalid-credential-signature')
  })

  test(`${plan}-invalid-credential-signature`, async () => {
    const spoil = (presentation: string) => {
      const [jwt = '', ...rest] = presentation.split('~')
      return [flipLast(jwt), ...rest].join('~')
    }
    await expectRefused({ spoil }, 'invalid-credential-signature')
  })

  test(`${plan}-invalid-sd-hash`, async () => {
    const spoil = async (presentation: string) => {
      const end = presentation.lastIndexOf('~') + 1
      const claims = { ...decodeJwt(presentation.slice(end)), sd_hash: toBase64url(sha256(utf8('other disclosures'))) }
      return presentation.slice(0, end) + (await signJws({ typ: 'kb+jwt' }, claims, verifier.holder.signer))
    }
    await expectRefused({ spoil }, 'invalid-credential-signature')
  })

  test(`${plan}-invalid-sd-hash: a disclosure was taken out after signing`, async () => {
    const query = {
      credentials: [
        {
          ...{ id: 'entitlement', format: 'dc+sd-jwt', claims: [{ path: ['metering_point'] }] },
          meta: { vct_values: ['https://tillit.example/credentials/MeteringPointEntitlement'] },
        },
      ],
    }
    const spoil = (presentation: string) => {
      const parts = presentation.split('~')
      return [parts[0], ...parts.slice(2)].join('~')
    }
    await expectRefused({ disclose: ['role'], spoil }, 'invalid-credential-signature', { preset: undefined, query })
  })

  test(`${plan}-invalid-kb-jwt-nonce`, async () => {
    await expectRefused({ binding: { nonce: 'INVALID' } }, 'invalid-nonce')
  })

  test(`${plan}-invalid-kb-jwt-nonce: that of another request of the same verifier`, async () => {
    const other = await wallet.resolve((await ask()).request.links.openid4vp)
    await expectRefused({ binding: { nonce: other.authorizationRequestPayload.nonce } }, 'invalid-nonce')
  })

  test.each([
    ['another', 'x509_san_dns:verifier.example'],
    ['without its prefix', undefined],
  ])(`${plan}-invalid-kb-jwt-aud: %s`, async (_name, aud) => {
    await expectRefused({ binding: { aud: aud ?? verifier.city.authority.did } }, 'invalid-credential-signature')
  })

  test(`${plan}-kb-jwt-iat-in-past`, async () => {
    await expectRefused({ binding: { iat: seconds() - 3600 } }, 'statement-expired')
  })

  test(`${plan}-kb-jwt-iat-in-future`, async () => {
    await expectRefused({ binding: { iat: seconds() + 120 } }, 'statement-expired')
  })

  test(`${plan}-present-revoked-credential`, async () => {
    const { credential, id } = await verifier.entitlement()
    const { utility } = verifier.city
    await verifier.city.call({ kind: 'organisation', id: utility.did }, 'POST', `/credentials/${id}/revocation`)
    holder = { ...holder, credentials: [credential] }
    await expectRefused({}, 'credential-revoked')
  })
})

/** Beyond the plan: what OpenID4VP 1.0 section 8.6 asks a verifier to look at as well. */
describe('what the plan leaves out', () => {
  test('a claim that was not asked for is refused', async () => {
    await expectRefused({ disclose: ['role'] }, 'invalid-presentation')
  })

  test('a credential without a proof by its holder is refused', async () => {
    const spoil = (presentation: string) => presentation.slice(0, presentation.lastIndexOf('~') + 1)
    await expectRefused({ spoil }, 'invalid-credential-signature')
  })

  test('a presentation to another request is refused, also by the same verifier', async () => {
    const [first, second] = [await ask(), await ask()]
    const stolen = await wallet.present(await wallet.resolve(first.request.links.openid4vp), holder)
    const reply = await wallet.send(await wallet.resolve(second.request.links.openid4vp), { vp_token: stolen })
    expect(reply.status).toBe(400)
    expect(await stateOf(second)).toMatchObject({ state: 'refused', error: { error: 'invalid-nonce' } })
    expect(await stateOf(first)).toMatchObject({ state: 'fetched' })
  })

  test('transaction data is authorised by hashes that the holder signs, and by nothing less', async () => {
    const transaction_data = [
      {
        type: 'https://tillit.example/transactions/consent',
        credential_ids: ['entitlement'],
        scope: { purpose: 'energy-advice' },
      },
    ]
    const asked = await ask({ transaction_data })
    const request = await wallet.resolve(asked.request.links.openid4vp)
    expect(request.transactionData?.[0]?.transactionData).toMatchObject({
      ...transaction_data[0],
      transaction_data_hashes_alg: ['sha-256'],
    })
    expect((await wallet.answer(request, holder)).status).toBe(200)
    expect(await stateOf(asked)).toMatchObject({
      state: 'proved',
      credentials: [{ transactions: [0], presentation: expect.stringContaining('~') }],
    })
    for (const binding of [
      { transaction_data_hashes: undefined, transaction_data_hashes_alg: undefined },
      { transaction_data_hashes: [toBase64url(sha256(utf8('another transaction')))] },
      { transaction_data_hashes_alg: 'sha-512' },
    ])
      await expectRefused({ binding }, 'invalid-presentation', { transaction_data })
  })

  test('wallets and holders of P-256 keys (ES256) are as welcome', async () => {
    const jwk = await generatePrivateJwk('ES256')
    const { point, city } = verifier
    const signer = await signerFromJwk(jwk)
    const { credential } = await city.credentials.issueCredential({
      type: 'MeteringPointEntitlement',
      holder: { did: verifier.holder.did, jwk: toPublicJwk(signer.publicKey) },
      claims: { gsrn: '707057500000000001', metering_point: point, role: 'holder', from: '2025-01-01T00:00:00+01:00' },
    })
    const asked = await ask()
    const request = await wallet.resolve(asked.request.links.openid4vp)
    const reply = await wallet.answer(request, { credentials: [credential], key: await walletKeyFrom(jwk) })
    expect(reply.status).toBe(200)
    expect(await stateOf(asked)).toMatchObject({ state: 'proved' })
  })
})

function seconds(): number {
  return Math.floor(verifier.city.clock.now.getTime() / 1000)
}

/** Changes one bit of a signature at the end of a JWS that stays well formed: not in its last character, which holds few. */
function flipLast(jws: string): string {
  const at = jws.length - 5
  return jws.slice(0, at) + (jws[at] === 'A' ? 'B' : 'A') + jws.slice(at + 1)
}
