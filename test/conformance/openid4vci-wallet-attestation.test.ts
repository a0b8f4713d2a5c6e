import { randomUUID } from 'node:crypto'
import { generatePrivateJwk, type Signer, signerFromJwk, signJws, thumbprint, toPublicJwk } from '@tillit/keys'
import { calculatePKCECodeChallenge } from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser, form } from '../../services/authorization/test/browser.ts'
import { providerCertificate, providerCertificateKey } from '../../services/authorization/test/provider-certificate.ts'
import { startServer, type TestServer } from '../../services/authorization/test/start-server.ts'
import {
  newProofKey,
  post,
  preAuthorizedCodeGrant,
  type WalletAnswer,
} from '../../services/authorization/test/wallet-client.ts'

// OAuth 2.0 Attestation-Based Client Authentication, as HAIP 1.0 section 4.4 asks of wallets, and what
// oid4vci-1_0-issuer-test-plan demands of attested clients.

const wallet = 'https://attested.example'
const other = 'https://other.example'
const third = 'https://certified.example'
const callback = 'https://attested.example/cb'
const weakJwk = { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }
let server: TestServer
let keys: Record<'provider' | 'otherProvider' | 'instance' | 'proof', Signer>

beforeAll(async () => {
  keys = {
    ...{ provider: await newProofKey(), otherProvider: await newProofKey() },
    ...{ instance: await newProofKey(), proof: await newProofKey() },
  }
  const listed = (clientId: string, key: Signer) => ({
    ...{ client_id: clientId, name: 'Attested', redirect_uris: [callback] },
    attestation_keys: [{ ...toPublicJwk(key.publicKey), kid: 'provider-1', alg: 'ES256' }],
  })
  const certified = await signerFromJwk(providerCertificateKey)
  server = await startServer({
    wallets: [listed(wallet, keys.provider), listed(other, keys.otherProvider), listed(third, certified)],
  })
})
afterAll(() => server.stop())

interface Changes {
  attestation?: Record<string, unknown>
  attestationHeader?: Record<string, unknown>
  attestationSigner?: Signer | undefined
  pop?: Record<string, unknown>
  popHeader?: Record<string, unknown>
  popSigner?: Signer | undefined
}

async function attestationHeaders(changes: Changes = {}): Promise<Record<string, string>> {
  const now = Math.floor(Date.now() / 1000)
  const cnf = { jwk: toPublicJwk(keys.instance.publicKey) }
  const challenge = (await post(server, 'challenge', {})).body.attestation_challenge
  const attestation = await signJws(
    { typ: 'oauth-client-attestation+jwt', kid: 'provider-1', ...changes.attestationHeader },
    { iss: 'https://provider.example', sub: wallet, iat: now, exp: now + 3600, cnf, ...changes.attestation },
    changes.attestationSigner ?? keys.provider,
  )
  const pop = await signJws(
    { typ: 'oauth-client-attestation-pop+jwt', ...changes.popHeader },
    { iss: wallet, aud: server.issuer, jti: randomUUID(), iat: now, exp: now + 60, challenge, ...changes.pop },
    changes.popSigner ?? keys.instance,
  )
  return { 'oauth-client-attestation': attestation, 'oauth-client-attestation-pop': pop }
}

async function push(headers: Record<string, string>, fields: Record<string, string> = {}): Promise<WalletAnswer> {
  const request = {
    ...{ client_id: wallet, response_type: 'code', redirect_uri: callback, scope: 'MeteringPointEntitlement' },
    ...{ code_challenge: await calculatePKCECodeChallenge('x'.repeat(43)), code_challenge_method: 'S256', ...fields },
  }
  return post(server, 'par', request, { key: keys.proof, headers })
}

test('a wallet is known by the attestation of a provider that is listed for it', async () => {
  expect((await push(await attestationHeaders())).status).toBe(201)
  expect((await push(await attestationHeaders({ attestationHeader: { kid: undefined } }))).status).toBe(201)
})

test('a wallet is known by an attestation with the certificate of a key that is listed, and by no other certificate', async () => {
  const certified = await signerFromJwk(providerCertificateKey)
  const attestation = { sub: third }
  const headers = (attestationSigner: Signer) =>
    attestationHeaders({
      ...{ attestation, attestationSigner, pop: { iss: third } },
      attestationHeader: { kid: undefined, x5c: [providerCertificate] },
    })
  expect((await push(await headers(certified), { client_id: third })).status).toBe(201)
  // The certificate names the key that is listed, but another one has signed.
  expect(await push(await headers(await newProofKey()), { client_id: third })).toMatchObject({
    status: 401,
    body: { error: 'invalid_client' },
  })
  const unlisted = { x5c: [providerCertificate] }
  expect(
    await push(await attestationHeaders({ attestationHeader: unlisted, attestationSigner: certified })),
  ).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test('an attested wallet is not known without attestation', async () => {
  expect(await push({})).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test('an attested wallet redeems a pre-authorized code, and refreshes with the same instance only', async () => {
  const code = randomUUID()
  const offer = { id: `offer_${code}`, code, holder: 'cust_AAAAAAAAAAAAAAAAAAAAAA' }
  await server.addOffer({ ...offer, configurationIds: ['MeteringPointEntitlement'] })
  const fields = { grant_type: preAuthorizedCodeGrant, 'pre-authorized_code': code }
  const redeemed = await post(server, 'token', fields, { key: keys.proof, headers: await attestationHeaders() })
  expect(redeemed.status).toBe(200)
  const refresh = { grant_type: 'refresh_token', refresh_token: redeemed.body.refresh_token ?? '' }
  const again = async (changes: Changes) =>
    post(server, 'token', refresh, { key: keys.proof, headers: await attestationHeaders(changes) })
  expect((await again({})).status).toBe(200)
  const stranger = await newProofKey()
  const cnf = { jwk: toPublicJwk(stranger.publicKey) }
  expect(await again({ attestation: { cnf }, popSigner: stranger })).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  })
  expect(await post(server, 'token', refresh, { key: keys.proof })).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  })
})

test('a code is of no use to another instance of the wallet than the one that asked', async () => {
  const verifier = 'x'.repeat(43)
  const codeFor = async () => {
    const pushed = await push(await attestationHeaders())
    const query = new URLSearchParams({ client_id: wallet, request_uri: pushed.body.request_uri ?? '' })
    const browser = new Browser()
    const signIn = await browser.follow(`${server.issuer}/authorize?${query}`, callback)
    const agreement = await browser.follow(signIn.url, callback, form({ persona: 'anna' }))
    const { url } = await browser.follow(agreement.url, callback, form({ agree: 'yes' }))
    return url.searchParams.get('code') ?? ''
  }
  const exchange = async (code: string, changes: Changes) =>
    post(
      server,
      'token',
      { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier },
      { key: keys.proof, headers: await attestationHeaders(changes) },
    )
  const stranger = await newProofKey()
  const cnf = { jwk: toPublicJwk(stranger.publicKey) }
  const refused = await exchange(await codeFor(), { attestation: { cnf }, popSigner: stranger })
  expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  expect((await exchange(await codeFor(), {})).status).toBe(200)
})

const hourAgo = () => Math.floor(Date.now() / 1000) - 3600
/** Fits every message under a key of order 1 by the bare equation of RFC 8032. */
const forgery = Uint8Array.from({ length: 64 }, (_, index) => (index === 0 ? 1 : 0))

test.each<[string, () => Changes]>([
  ['by a provider that is listed for another wallet', () => ({ attestationSigner: keys.otherProvider })],
  ['under a key id that is not listed', () => ({ attestationHeader: { kid: 'provider-2' } })],
  ['with a certificate that is none', () => ({ attestationHeader: { x5c: ['AAAA'] } })],
  ['with an empty certificate chain', () => ({ attestationHeader: { x5c: [] } })],
  ['that has expired', () => ({ attestation: { exp: hourAgo() } })],
  ['that never expires', () => ({ attestation: { exp: undefined } })],
  ['that names no key', () => ({ attestation: { cnf: {} } })],
  ['that names no client', () => ({ attestation: { sub: undefined } })],
  ['of another type', () => ({ attestationHeader: { typ: 'JWT' } })],
  ['whose proof of possession is by another key', () => ({ popSigner: keys.proof })],
  ['whose proof of possession is for another server', () => ({ pop: { aud: 'https://elsewhere.example/oauth' } })],
  ['whose proof of possession is for several servers', () => ({ pop: { aud: [server.issuer, 'https://b.example'] } })],
  ['whose proof of possession has expired', () => ({ pop: { exp: hourAgo() } })],
  ['whose proof of possession has no id', () => ({ pop: { jti: undefined } })],
  ['whose proof of possession is for another client', () => ({ pop: { iss: other } })],
  ['whose proof of possession is of another type', () => ({ popHeader: { typ: 'JWT' } })],
  ['for a weak key', () => ({ attestation: { cnf: { jwk: weakJwk } }, popSigner: weakSigner() })],
])('an attestation %s is refused', async (_, changes) => {
  expect(await push(await attestationHeaders(changes()))).toMatchObject({
    status: 401,
    body: { error: 'invalid_client' },
  })
})

function weakSigner(): Signer {
  return { ...keys.instance, alg: 'EdDSA', sign: async () => forgery }
}

test('an attestation for another wallet is refused', async () => {
  const foreign = { attestation: { sub: other }, attestationSigner: keys.otherProvider, pop: { iss: other } }
  expect(await push(await attestationHeaders(foreign))).toMatchObject({
    status: 400,
    body: { error: 'invalid_request', error_description: 'client_id mismatch' },
  })
})

test('a proof of possession is used once', async () => {
  const headers = await attestationHeaders()
  expect((await push(headers)).status).toBe(201)
  expect(await push(headers)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test('a proof of possession has to answer a challenge of this server, and is told one', async () => {
  for (const challenge of [undefined, 'made-up']) {
    const refused = await push(await attestationHeaders({ pop: { challenge } }))
    expect(refused).toMatchObject({ status: 400, body: { error: 'use_attestation_challenge' } })
    const given = refused.headers.get('oauth-client-attestation-challenge')
    expect((await push(await attestationHeaders({ pop: { challenge: given } }))).status).toBe(201)
  }
})

test('an attestation without proof of possession is refused', async () => {
  const { 'oauth-client-attestation': attestation = '' } = await attestationHeaders()
  expect(await push({ 'oauth-client-attestation': attestation })).toMatchObject({
    status: 401,
    body: { error: 'invalid_client' },
  })
})

test('a wallet that was changed to another Ed25519 provider is known by that one', async () => {
  const next = await signerFromJwk(await generatePrivateJwk())
  const listed = { client_id: wallet, name: 'Attested', redirect_uris: [callback] }
  const changed = await startServer({ wallets: [{ ...listed, attestation_keys: [toPublicJwk(next.publicKey)] }] })
  try {
    const before = server
    server = changed
    expect((await push(await attestationHeaders())).status).toBe(401)
    const kid = { kid: thumbprint(next.publicKey) }
    const unnamed = { kid: undefined }
    expect((await push(await attestationHeaders({ attestationSigner: next, attestationHeader: kid }))).status).toBe(401)
    expect((await push(await attestationHeaders({ attestationSigner: next, attestationHeader: unnamed }))).status).toBe(
      201,
    )
    server = before
  } finally {
    await changed.stop()
  }
})
