import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { generatePrivateJwk, type Signer, signerFromJwk, signJws, thumbprint, toPublicJwk } from '@tillit/keys'
import type { FastifyRequest } from 'fastify'
import { beforeAll, expect, test } from 'vitest'
import { createAuthenticator } from './authenticate.ts'

const publicUrl = 'http://tillit.test'
const nowSeconds = 1_800_000_000
const clock = { seconds: nowSeconds }
let [server, client, stranger]: Signer[] = []
let authenticate: ReturnType<typeof createAuthenticator>
let proofs = 0

beforeAll(async () => {
  ;[server, client, stranger] = [await newSigner(), await newSigner(), await newSigner()]
  const keys = [{ ...toPublicJwk(server.publicKey), kid: 'tokens' }]
  authenticate = createAuthenticator({
    issuer: `${publicUrl}/oauth`,
    audience: publicUrl,
    jwks: () => ({ keys }),
    now: () => new Date(clock.seconds * 1000),
  })
})

const receivable = {
  type: 'openid_credential',
  credential_configuration_id: 'MeteringPointEntitlement',
  credential_identifiers: ['MeteringPointEntitlement'],
} as const
const none = { credential_identifiers: undefined }

const newSigner = async () => signerFromJwk(await generatePrivateJwk())

interface Change {
  token?: object
  tokenHeader?: object
  tokenSigner?: Signer | undefined
  proof?: object
  proofHeader?: object
  proofSigner?: Signer | undefined
}

async function ask(change: Change = {}) {
  if (!server || !client) throw new Error('there are no keys')
  const token = await signJws(
    { typ: 'at+jwt', kid: 'tokens', ...change.tokenHeader },
    {
      ...{ iss: `${publicUrl}/oauth`, aud: publicUrl, sub: 'did:key:a', client_id: 'did:key:a', kind: 'organisation' },
      ...{ iat: nowSeconds, exp: nowSeconds + 300, cnf: { jkt: thumbprint(client.publicKey) }, ...change.token },
    },
    change.tokenSigner ?? server,
  )
  const key = change.proofSigner ?? client
  const dpop = await signJws(
    { typ: 'dpop+jwt', jwk: toPublicJwk(key.publicKey), ...change.proofHeader },
    {
      ...{ htm: 'GET', htu: `${publicUrl}/things`, iat: clock.seconds, jti: `proof-${++proofs}` },
      ...{ ath: toBase64url(sha256(utf8(token))), ...change.proof },
    },
    key,
  )
  const headers = { authorization: `DPoP ${token}`, dpop }
  return { method: 'GET', url: '/things?n=1', headers } as unknown as FastifyRequest
}

test('a token that is bound to the key of its proof names the caller', async () => {
  expect(authenticate(await ask())).toMatchObject({ kind: 'organisation', id: 'did:key:a', clientId: 'did:key:a' })
})

test.each<[string, () => Change, string]>([
  ['another key than the token is bound to', () => ({ proofSigner: stranger }), 'invalid-dpop-proof'],
  ['the right key in the header and another one behind the signature', foreignSignature, 'invalid-dpop-proof'],
  ['another access token', () => ({ proof: { ath: toBase64url(sha256(utf8('other'))) } }), 'invalid-dpop-proof'],
  ['no access token', () => ({ proof: { ath: undefined } }), 'invalid-dpop-proof'],
  ['another method', () => ({ proof: { htm: 'POST' } }), 'invalid-dpop-proof'],
  ['another host', () => ({ proof: { htu: 'http://elsewhere.test/things' } }), 'invalid-dpop-proof'],
  ['a minute ago', () => ({ proof: { iat: clock.seconds - 61 } }), 'invalid-dpop-proof'],
  ['later', () => ({ proof: { iat: clock.seconds + 6 } }), 'invalid-dpop-proof'],
  ['no jti', () => ({ proof: { jti: undefined } }), 'invalid-dpop-proof'],
  ['another type', () => ({ proofHeader: { typ: 'JWT' } }), 'invalid-dpop-proof'],
])('a proof for %s is refused', async (_, change, code) => {
  await expect(ask(change()).then(authenticate)).rejects.toMatchObject({ code })
})

test.each<[string, () => Change]>([
  ['for another audience', () => ({ token: { aud: 'http://elsewhere.test' } })],
  ['from another issuer', () => ({ token: { iss: 'http://elsewhere.test/oauth' } })],
  ['that has expired', () => ({ token: { exp: nowSeconds } })],
  ['without an end', () => ({ token: { exp: undefined } })],
  ['that is not valid yet', () => ({ token: { nbf: nowSeconds + 60 } })],
  ['that is bound to no key', () => ({ token: { cnf: undefined } })],
  ['without a subject', () => ({ token: { sub: undefined } })],
  ['of an unknown kind of caller', () => ({ token: { kind: 'operator' } })],
  ['of another type', () => ({ tokenHeader: { typ: 'JWT' } })],
  ['under an unknown key', () => ({ tokenHeader: { kid: 'other' } })],
  ['with a foreign signature', () => ({ tokenSigner: stranger })],
  ['with details of an unknown type', () => ({ token: { authorization_details: [{ type: 'payment' }] } })],
  ['with details that name no identifiers', () => ({ token: { authorization_details: [{ ...receivable, ...none }] } })],
  ['with details that are no list', () => ({ token: { authorization_details: receivable } })],
  ['with an offer in an unknown form', () => ({ token: { offer: { id: 'offer_a' } } })],
])('a token %s is refused', async (_, change) => {
  await expect(ask(change()).then(authenticate)).rejects.toMatchObject({ code: 'invalid-token' })
})

test('a token that was let in before is refused when it has expired meanwhile', async () => {
  const token = { exp: nowSeconds + 10, sub: 'did:key:soon' }
  expect(authenticate(await ask({ token })).id).toBe('did:key:soon')
  clock.seconds = nowSeconds + 10
  await expect(ask({ token }).then(authenticate)).rejects.toMatchObject({ code: 'invalid-token' })
  clock.seconds = nowSeconds
})

test('the caller carries what credentials the token is for and the offer it came from', async () => {
  const token = { authorization_details: [receivable], offer: 'offer_a' }
  expect(authenticate(await ask({ token }))).toMatchObject({ authorizationDetails: [receivable], offer: 'offer_a' })
  const plain = authenticate(await ask())
  expect(plain).not.toHaveProperty('authorizationDetails')
  expect(plain).not.toHaveProperty('offer')
})

test.each(['access_token=eyJ', 'n=1&access%5Ftoken=eyJ'])(
  'a request with ?%s is refused although its header is right',
  async (query) => {
    const request = { ...(await ask()), url: `/things?${query}` } as FastifyRequest
    expect(() => authenticate(request)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  },
)

function foreignSignature(): Change {
  if (!client || !stranger) throw new Error('there are no keys')
  return { proofSigner: stranger, proofHeader: { jwk: toPublicJwk(client.publicKey) } }
}
