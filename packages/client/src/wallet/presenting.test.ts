import { parseJson, toBase64url, utf8 } from '@tillit/codec'
import { verifyPresentation } from '@tillit/credential'
import { parseJws, type Signer, signJws, toPublicJwk } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import type { DcqlQuery } from '@tillit/schemas'
import { type CryptoKey, compactDecrypt, exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  cityOptions,
  didOf,
  documentOf,
  entitlementClaims,
  issue,
  meteringPoint,
  now,
  resolverOver,
  signerOf,
} from '../../../credential/test/city.ts'
import { createMemoryWalletStore } from './document-store.ts'
import { openWallet, type Wallet } from './open-wallet.ts'
import { type Peer, startPeer } from './peer.fixture.ts'
import type { WalletStore } from './wallet-store.ts'

const verifier = didOf('authority')
const clientId = `decentralized_identifier:${verifier}`
const nonce = 'n-0S6_WzA2Mj'
const query: DcqlQuery = {
  credentials: [
    {
      id: 'entitlement',
      format: 'dc+sd-jwt',
      meta: { vct_values: ['https://tillit.example/credentials/MeteringPointEntitlement'] },
      claims: [{ path: ['metering_point'], values: [meteringPoint] }, { path: ['role'] }],
    },
  ],
}
const consent = {
  type: 'https://tillit.example/rar/metering-data/v1',
  credential_ids: ['entitlement'],
  transaction_data_hashes_alg: ['sha-256'],
  actions: ['read'],
}

let peer: Peer
let store: WalletStore
let wallet: Wallet
let verifierKey: Signer
let link: string
let decryptionKey: CryptoKey
/** What a well-behaved verifier asks. */
let request: Record<string, unknown>

beforeAll(async () => {
  peer = await startPeer()
  verifierKey = await signerOf('authority')
})
afterAll(() => peer.stop())
beforeEach(async () => {
  store = createMemoryWalletStore()
  const resolveDid = resolverOver(await Promise.all(['utility', 'authority', 'stranger'].map(documentOf)))
  wallet = openWallet({ store, resolveDid, now: () => now })
  await holdEntitlement('ES256')
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256' })
  decryptionKey = privateKey
  request = {
    ...{ response_type: 'vp_token', response_mode: 'direct_post.jwt', response_uri: `${peer.url}/responses/1` },
    ...{ client_id: clientId, aud: 'https://self-issued.me/v2', nonce, state: 'the state', dcql_query: query },
    iat: seconds(now),
    client_metadata: {
      jwks: { keys: [{ ...(await exportJWK(publicKey)), use: 'enc', alg: 'ECDH-ES', kid: 'for this response' }] },
      encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'],
    },
  }
  link = `openid4vp://?${new URLSearchParams({ client_id: clientId, request_uri: `${peer.url}/requests/1` })}`
  peer.seen.length = 0
  serve()
  peer.on('POST', '/responses/1', () => ({ body: {} }))
})

async function holdEntitlement(alg: 'ES256' | 'EdDSA'): Promise<void> {
  const { id, signer } = await store.createKey(alg)
  await store.addCredential({
    ...{ id: `bound to ${id}`, format: 'dc+sd-jwt', keyId: id, credentialIssuer: 'https://city.example' },
    ...{ configurationId: 'MeteringPointEntitlement', receivedAt: now.toISOString() },
    credential: await issue('utility', 'MeteringPointEntitlement', entitlementClaims, {
      holderJwk: toPublicJwk(signer.publicKey),
    }),
  })
}

interface Signing {
  signer?: Signer
  kid?: string
  typ?: string
}

function serve(changes: Record<string, unknown> = {}, signing: Signing = {}): void {
  peer.on('GET', '/requests/1', async () => ({
    headers: { 'content-type': 'application/oauth-authz-req+jwt' },
    body: await sign({ ...request, ...changes }, signing),
  }))
}

function sign(payload: object, { signer = verifierKey, kid, typ = 'oauth-authz-req+jwt' }: Signing = {}) {
  return signJws({ typ, kid: kid ?? `${verifier}#key-1` }, payload, signer)
}

async function receivedResponse(): Promise<Record<string, unknown>> {
  const form = new URLSearchParams(peer.seen.find(({ path }) => path === '/responses/1')?.body)
  const { plaintext, protectedHeader } = await compactDecrypt(form.get('response') ?? '', decryptionKey)
  expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', kid: 'for this response' })
  return parseJson(new TextDecoder().decode(plaintext)) as Record<string, unknown>
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing is wrong',
    (error: unknown) => (isProblem(error) ? error.code : String(error)),
  )
const seconds = (time: Date) => Math.floor(time.getTime() / 1000)
const encoded = (value: object) => toBase64url(utf8(JSON.stringify(value)))

describe('an answer', () => {
  test.each(['ES256', 'EdDSA'] as const)(
    'oid4vp-1final-wallet-happy-flow: under a %s key is what the verification function of verifiers takes',
    async (alg) => {
      for (const { id } of await store.listCredentials()) await store.removeCredential(id)
      await holdEntitlement(alg)
      await wallet.present(await wallet.openRequest(link))
      const { vp_token: vpToken, state } = await receivedResponse()
      expect(state).toBe('the state')
      const [proved] = await verifyPresentation(vpToken, { ...(await cityOptions()), query, audience: clientId, nonce })
      expect(proved?.asked).toEqual({ metering_point: meteringPoint, role: 'holder' })
    },
  )

  test('oid4vp-1final-wallet-fewer-claims-than-available: shows beforehand what it will tell, and tells no more', async () => {
    const opened = await wallet.openRequest(link)
    expect(peer.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /requests/1'])
    const candidate = opened.answer.get('entitlement')
    expect(candidate?.disclosed).toEqual(['role'])
    expect(Object.keys(candidate?.visible ?? {})).not.toContain('gsrn')
    await wallet.present(opened)
    const { vp_token: vpToken } = await receivedResponse()
    expect(JSON.stringify(vpToken).split('~')).toHaveLength(3)
  })

  test('says who asks and why, as far as the verifier does', async () => {
    expect((await wallet.openRequest(link)).request.asker).toBeNull()
    const data = { name: 'Energy Advice AS', purpose: 'To advise you', asked_by: didOf('stranger') }
    const format = 'https://tillit.example/verifier-info/purpose'
    serve({
      verifier_info: [
        { format: 'other', data: 'unknown' },
        { format, data },
      ],
    })
    expect((await wallet.openRequest(link)).request.asker).toEqual({ name: data.name, purpose: data.purpose })
  })

  test('oid4vp-1final-wallet-ignores-unusable-encryption-key: is encrypted to the key that the wallet can use', async () => {
    const metadata = request.client_metadata as { jwks: { keys: object[] } }
    const unusable = [
      { kty: 'AKP', alg: 'ML-KEM-9999', pub: 'AA', use: 'enc', kid: 'later' },
      { kty: 'unheard-of', alg: 'ECDH-ES', use: 'enc', kid: 'never' },
    ]
    serve({ client_metadata: { ...metadata, jwks: { keys: [...unusable, ...metadata.jwks.keys] } } })
    await wallet.present(await wallet.openRequest(link))
    expect(await receivedResponse()).toHaveProperty('vp_token')
  })

  test('oid4vp-1final-wallet-no-claims-in-dcql-query: tells nothing that can be left out when nothing is asked', async () => {
    const { claims: _, ...bare } = query.credentials[0] ?? {}
    serve({ dcql_query: { credentials: [bare] } })
    await wallet.present(await wallet.openRequest(link))
    expect(JSON.stringify((await receivedResponse()).vp_token).split('~')).toHaveLength(2)
  })

  const other = { id: 'other', format: 'dc+sd-jwt', meta: { vct_values: ['https://state.example/passport'] } }

  test('oid4vp-1final-wallet-optional-credential-set: comes without what is optional and not held', async () => {
    const sets = [{ options: [['entitlement']] }, { options: [['other']], required: false }]
    serve({ dcql_query: { credentials: [...query.credentials, other], credential_sets: sets } })
    expect([...(await wallet.openRequest(link)).answer.keys()]).toEqual(['entitlement'])
  })

  test('oid4vp-1final-wallet-negative-test-required-non-matching-credential: comes whole or not at all', async () => {
    const sets = [{ options: [['entitlement', 'other']] }]
    serve({ dcql_query: { credentials: [...query.credentials, other], credential_sets: sets } })
    expect(await codeOf(wallet.openRequest(link))).toBe('credential-not-held')
  })

  test('signs the transaction that was shown', async () => {
    const transactionData = [encoded(consent)]
    serve({ transaction_data: transactionData })
    const opened = await wallet.openRequest(link)
    expect(opened.request.transactionData).toMatchObject([{ type: consent.type, details: consent }])
    await wallet.present(opened)
    const { vp_token: vpToken } = await receivedResponse()
    const options = { ...(await cityOptions()), query, audience: clientId, nonce, transactionData }
    expect((await verifyPresentation(vpToken, options))[0]?.transactions).toEqual([0])
  })

  test('goes in the clear only when the verifier asks for that', async () => {
    serve({ response_mode: 'direct_post' })
    await wallet.present(await wallet.openRequest(link))
    const form = new URLSearchParams(peer.seen.at(-1)?.body)
    expect(Object.keys(parseJson(form.get('vp_token') ?? '') as object)).toEqual(['entitlement'])
  })

  test('tells where the browser goes on, when that is a place to go', async () => {
    const opened = await wallet.openRequest(link)
    peer.on('POST', '/responses/1', () => ({ body: { redirect_uri: 'https://verifier.example/done?response_code=1' } }))
    expect(await wallet.present(opened)).toEqual({ redirectUri: 'https://verifier.example/done?response_code=1' })
    peer.on('POST', '/responses/1', () => ({ body: { redirect_uri: 'javascript:alert(1)' } }))
    expect(await codeOf(wallet.present(opened))).toBe('invalid-request')
  })

  test('is not sent on to where a redirect leads', async () => {
    peer.on('POST', '/responses/1', () => ({ status: 307, headers: { location: `${peer.url}/elsewhere` } }))
    await expect(wallet.present(await wallet.openRequest(link))).rejects.toThrow(TypeError)
    expect(peer.seen.map(({ path }) => path)).not.toContain('/elsewhere')
  })

  test('that the verifier refuses ends with the verifier’s error', async () => {
    const error = { error: 'invalid_request', error_description: 'The nonce is another one' }
    peer.on('POST', '/responses/1', () => ({ status: 400, body: error }))
    await expect(wallet.present(await wallet.openRequest(link))).rejects.toMatchObject({
      ...{ name: 'CityError', status: 400, code: 'invalid_request', message: 'The nonce is another one' },
    })
  })

  test('can be a no, without a reason', async () => {
    await wallet.decline(await wallet.openRequest(link))
    const form = new URLSearchParams(peer.seen.at(-1)?.body)
    expect(Object.fromEntries(form)).toEqual({ error: 'access_denied', state: 'the state' })
  })

  test('is of the credential that was chosen', async () => {
    await holdEntitlement('EdDSA')
    const [older, newer] = await store.listCredentials()
    for (const held of [older, newer]) {
      const { answer } = await wallet.openRequest(link, { choose: { entitlement: held?.id ?? '' } })
      expect(answer.get('entitlement')?.held.id).toBe(held?.id)
    }
    expect(await codeOf(wallet.openRequest(link, { choose: { entitlement: 'another' } }))).toBe('credential-not-held')
  })

  test('oid4vp-1final-wallet-negative-test-claim-not-in-credential: needs a credential that has it', async () => {
    serve({ dcql_query: { credentials: [{ ...query.credentials[0], claims: [{ path: ['birthday'] }] }] } })
    expect(await codeOf(wallet.openRequest(link))).toBe('credential-not-held')
  })
})

describe('a request by POST', () => {
  const postLink = () => `${link}&request_uri_method=post`

  test('oid4vp-1final-wallet-request-uri-method-post: is taken when it was made for this wallet now', async () => {
    peer.on('POST', '/requests/1', async ({ body }) => ({
      body: await sign({ ...request, wallet_nonce: new URLSearchParams(body).get('wallet_nonce') }),
    }))
    expect((await wallet.openRequest(postLink())).request.nonce).toBe(nonce)
    const form = new URLSearchParams(peer.seen.at(-1)?.body)
    expect(parseJson(form.get('wallet_metadata') ?? '')).toHaveProperty(['vp_formats_supported', 'dc+sd-jwt'])
  })

  test.each([
    ['an old one', { wallet_nonce: 'of another wallet' }],
    ['one that does not say for whom it is', {}],
  ])('is refused when it is %s', async (_what, changes) => {
    peer.on('POST', '/requests/1', async () => ({ body: await sign({ ...request, ...changes }) }))
    expect(await codeOf(wallet.openRequest(postLink()))).toBe('invalid-presentation-request')
  })
})

describe('a careful wallet refuses', () => {
  const strangerDid = didOf('stranger')

  test.each([
    ['a request that somebody else signed in the verifier’s name', {}, { kid: `${strangerDid}#key-1` }, 'stranger'],
    ['a request under a key that the verifier does not have', {}, { kid: `${verifier}#key-2` }, 'authority'],
    [
      'a request of another verifier than the link named (oid4vp-1final-wallet-negative-test-mismatched-client-id)',
      { client_id: `decentralized_identifier:${strangerDid}` },
      {},
      'authority',
    ],
    [
      'a signed JSON of another kind (oid4vp-1final-wallet-negative-test-invalid-request-object-typ)',
      {},
      { typ: 'JWT' },
      'authority',
    ],
  ])('%s', async (_what, changes, signing, by) => {
    serve(changes, { ...signing, signer: await signerOf(by) })
    expect(await codeOf(wallet.openRequest(link))).toMatch(
      /^(invalid-presentation-request|invalid-signature|invalid-jws)$/,
    )
  })

  test('oid4vp-1final-wallet-negative-test-missing-request-object-typ', async () => {
    const input = [{ alg: verifierKey.alg, kid: `${verifier}#key-1` }, request].map(encoded).join('.')
    const untyped = `${input}.${toBase64url(await verifierKey.sign(utf8(input)))}`
    peer.on('GET', '/requests/1', () => ({ body: untyped }))
    expect(await codeOf(wallet.openRequest(link))).toBe('invalid-jws')
  })

  test('oid4vp-1final-wallet-negative-test-invalid-request-object-signature', async () => {
    serve({}, { signer: await signerOf('stranger') })
    expect(await codeOf(wallet.openRequest(link))).toBe('invalid-signature')
  })

  test.each([
    ['a request for another audience', { aud: 'https://other.example' }],
    ['a request from the future', { iat: seconds(now) + 600 }],
    ['a request of yesterday', { iat: seconds(now) - 86_400 }],
    ['a request that has expired', { exp: seconds(now) }],
    ['a request for a token', { response_type: 'vp_token id_token' }],
    [
      'an answer by way of the browser (oid4vp-1final-wallet-negative-test-redirect-uri-with-direct-post)',
      { redirect_uri: 'https://verifier.example/cb' },
    ],
    ['an answer in the fragment', { response_mode: 'fragment' }],
    ['an encrypted answer with nothing to encrypt to', { client_metadata: { jwks: { keys: [] } } }],
    [
      'an answer encrypted in an unknown way',
      { client_metadata: { jwks: { keys: [{ kty: 'RSA', alg: 'RSA-OAEP' }] } } },
    ],
    ['a request without a query', { dcql_query: undefined }],
    ['a request without a nonce (oid4vp-1final-wallet-negative-test-missing-nonce)', { nonce: undefined }],
    [
      'a transaction of a kind that it cannot show (oid4vp-1final-wallet-negative-test-unknown-transaction-data-type)',
      { transaction_data: [encoded({ ...consent, type: 'payment' })] },
    ],
    [
      'a transaction hashed in an unknown way',
      { transaction_data: [encoded({ ...consent, transaction_data_hashes_alg: ['md5'] })] },
    ],
    ['a transaction that it cannot read', { transaction_data: ['%%%'] }],
  ])('%s', async (_what, changes) => {
    serve(changes)
    expect(await codeOf(wallet.openRequest(link))).toBe('invalid-presentation-request')
    expect(peer.seen.map(({ path }) => path)).toEqual(['/requests/1'])
  })

  test('a transaction that no presented credential would sign', async () => {
    serve({ transaction_data: [encoded({ ...consent, credential_ids: ['another'] })] })
    const opened = await wallet.openRequest(link)
    expect(await codeOf(wallet.present(opened))).toBe('invalid-presentation-request')
    expect(peer.seen.map(({ path }) => path)).toEqual(['/requests/1'])
  })

  test('an answer to a place without TLS', async () => {
    serve({ response_uri: 'http://verifier.example/responses/1' })
    expect(await codeOf(wallet.openRequest(link))).toBe('invalid-request')
  })

  test('a request that was moved elsewhere', async () => {
    peer.on('GET', '/requests/1', () => ({ status: 302, headers: { location: `${peer.url}/requests/2` } }))
    await expect(wallet.openRequest(link)).rejects.toThrow(TypeError)
  })

  test.each([
    ['a request in the link itself', `openid4vp://?client_id=${clientId}&dcql_query={}`],
    [
      'a verifier known by its redirect URI only',
      'openid4vp://?client_id=redirect_uri:https://a.example&request_uri=https://a.example/r',
    ],
    ['a link with two clients', `openid4vp://?client_id=${clientId}&client_id=x&request_uri=https://a.example/r`],
    [
      'a verifier known in an unknown way (oid4vp-1final-wallet-negative-test-invalid-client-id-prefix)',
      'openid4vp://?client_id=unknown:a&request_uri=https://a.example/r',
    ],
    [
      'an unknown way to fetch',
      `openid4vp://?client_id=${clientId}&request_uri=https://a.example/r&request_uri_method=put`,
    ],
    ['something that is no link', 'hello'],
  ])('%s', async (_what, wrong) => {
    expect(await codeOf(wallet.openRequest(wrong))).toBe('invalid-presentation-request')
    expect(peer.seen).toEqual([])
  })
})

test('a presentation names its verifier and no other', async () => {
  await wallet.present(await wallet.openRequest(link))
  const { vp_token: vpToken } = (await receivedResponse()) as { vp_token: { entitlement: string[] } }
  const [presentation = ''] = vpToken.entitlement
  const { payload } = parseJws(presentation.slice(presentation.lastIndexOf('~') + 1))
  expect(payload).toMatchObject({ aud: clientId, nonce, iat: seconds(now) })
})
