import { randomBytes } from 'node:crypto'
import { type TestDatabase, testDatabase } from '@tillit/database'
import { generatePrivateJwk, signerFromJwk, toPublicJwk } from '@tillit/keys'
import fastify from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AuthorizationPorts, createAuthorization } from '../src/index.ts'
import { createOfferStore } from '../src/offer-store.ts'
import { type AuthorizationTables, createStore } from '../src/store.ts'
import { parseWallets } from '../src/wallets.ts'
import { Browser } from './browser.ts'
import { personas, startServer } from './start-server.ts'

let database: TestDatabase
let ports: AuthorizationPorts

beforeAll(async () => {
  database = await testDatabase()
  const portalKey = await signerFromJwk(await generatePrivateJwk())
  ports = {
    db: database.connect<AuthorizationTables>('authorization'),
    publicUrl: 'https://city.example',
    environment: 'production',
    personas: [],
    tokenSigningJwks: { keys: [await generatePrivateJwk()] },
    portalClient: {
      clientId: 'portal',
      redirectUris: ['https://city.example/portal/callback'],
      jwks: { keys: [{ ...toPublicJwk(portalKey.publicKey), kid: 'portal-1' }] },
    },
    wallets: [],
    credentialConfigurations: [],
    credentialIdentifiers: async () => [],
    cookieKeys: [randomBytes(32).toString('base64url')],
    resolveDid: async () => ({ didDocument: null, didResolutionMetadata: {}, didDocumentMetadata: {} }),
    now: () => new Date(),
    logger: fastify().log,
  }
})
afterAll(() => database.drop())

const problem = (code: string) => expect.objectContaining({ code })

test('without the development eID it starts in production', () => {
  expect(createAuthorization(ports).jwks().keys).toHaveLength(1)
})

test.each(['production', 'test', '', 'Development'])(
  'the development eID is refused in the environment %j',
  (environment) => {
    expect(() => createAuthorization({ ...ports, environment, personas })).toThrow(problem('invalid-configuration'))
  },
)

test.each([
  ['a path in the public URL', { publicUrl: 'https://city.example/tillit' }],
  ['a slash after the public URL', { publicUrl: 'https://city.example/' }],
  ['no cookie key', { cookieKeys: [] }],
  ['a short cookie key', { cookieKeys: ['secret'] }],
  ['no signing key', { tokenSigningJwks: { keys: [] } }],
] satisfies [string, Partial<AuthorizationPorts>][])('%s is refused', (_, changes) => {
  expect(() => createAuthorization({ ...ports, ...changes })).toThrow(problem('invalid-configuration'))
})

const listed = { client_id: 'https://wallet.example', name: 'Wallet', redirect_uris: ['https://wallet.example/cb'] }
const weakKey = { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }

test.each([
  'https://wallet.example/cb',
  'nordlommebok://received',
  'com.example.wallet:/cb',
  'http://127.0.0.1/cb',
  'http://[::1]:7000/cb',
])('a wallet may be reached at %s', (uri) => {
  expect(parseWallets([{ ...listed, redirect_uris: [uri] }])).toHaveLength(1)
})

test.each<[string, unknown]>([
  ['that are no list', listed],
  ['without redirect URIs', [{ ...listed, redirect_uris: [] }]],
  ['that are reached over plain HTTP', [{ ...listed, redirect_uris: ['http://wallet.example/cb'] }]],
  ['that are reached by a script', [{ ...listed, redirect_uris: ['javascript:alert(1)'] }]],
  ['whose redirect URI is relative', [{ ...listed, redirect_uris: ['/cb'] }]],
  ['whose redirect URI has a fragment', [{ ...listed, redirect_uris: ['https://wallet.example/cb#there'] }]],
  ['with a member that is not known', [{ ...listed, redirect_uri: 'https://wallet.example/cb' }]],
  ['that are listed twice', [listed, listed]],
  ['with an empty list of provider keys', [{ ...listed, attestation_keys: [] }]],
  ['with a weak provider key', [{ ...listed, attestation_keys: [weakKey] }]],
  ['with a private provider key', [{ ...listed, attestation_keys: [{ ...weakKey, d: weakKey.x }] }]],
  ['that are called by a DID', [{ ...listed, client_id: 'did:key:z6Mk' }]],
  ['that are called like the portal', [{ ...listed, client_id: 'portal' }]],
  ['that are called like the anonymous wallet', [{ ...listed, client_id: 'anonymous-wallet' }]],
])('wallets %s are refused', (_, wallets) => {
  expect(() => createAuthorization({ ...ports, wallets })).toThrow(problem('invalid-configuration'))
})

test('a weak portal key is refused', () => {
  const weak = { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } as const
  const portalClient = { ...ports.portalClient, jwks: { keys: [weak] } }
  expect(() => createAuthorization({ ...ports, portalClient })).toThrow(problem('weak-key'))
})

test('a P-256 key does not sign tokens', async () => {
  const tokenSigningJwks = { keys: [await generatePrivateJwk('ES256')] }
  expect(() => createAuthorization({ ...ports, tokenSigningJwks })).toThrow(problem('invalid-configuration'))
})

test('without an eID a person is told that sign-in is not available', async () => {
  const server = await startServer({ environment: 'production', personas: [] })
  try {
    const page = await new Browser().open(`${server.issuer}/sign-in/any`)
    expect(page.status).toBe(503)
    expect(await page.text()).toContain('no eID is configured')
    const answer = await fetch(`${server.issuer}/sign-in/any`)
    expect(await answer.json()).toMatchObject({ code: 'sign-in-unavailable' })
  } finally {
    await server.stop()
  }
})

test('expired rows are never found and are purged, live ones stay', async () => {
  const store = createStore(ports.db)
  const indexes = { grant_id: null, user_code: null, uid: null }
  const id = (letter: string) => letter.repeat(43)
  await store.saveState('Session', id('a'), { payload: {}, indexes, lifetimeSeconds: -1 })
  await store.saveState('Session', id('b'), { payload: { kept: [1] }, indexes, lifetimeSeconds: 60 })
  expect(await store.findState('Session', 'id', id('a'))).toBeUndefined()
  expect(await store.purgeExpired('oauth_state', 10)).toBe(1)
  expect(await store.findState('Session', 'id', id('b'))).toEqual({ payload: { kept: [1] }, consumedAt: null })
})

test('what became of an offer is purged once the offer has expired, and not before', async () => {
  const store = createStore(ports.db)
  const offers = createOfferStore(ports.db)
  const at = (seconds: number) => new Date(Date.now() + seconds * 1000)
  await offers.redeem({ id: 'offer_old', expires_at: at(-60) }, true)
  await offers.redeem({ id: 'offer_live', expires_at: at(60) }, true)
  expect(await store.purgeExpired('offer_redemptions', 10)).toBe(1)
  expect(await offers.redeem({ id: 'offer_live', expires_at: at(60) }, true)).toEqual({ outcome: 'dead' })
})

test('an id can be claimed again only after it has expired', async () => {
  const store = createStore(ports.db)
  const id = 'c'.repeat(43)
  expect(await store.claimOnce('ReplayDetection', id, -1)).toBe(true)
  expect(await store.claimOnce('ReplayDetection', id, 60)).toBe(true)
  expect(await store.claimOnce('ReplayDetection', id, 60)).toBe(false)
})

test('revoking a grant deletes what it gave, and nothing else', async () => {
  const store = createStore(ports.db)
  const save = (letter: string, grantId: string) =>
    store.saveState('RefreshToken', letter.repeat(43), {
      payload: {},
      indexes: { grant_id: grantId, user_code: null, uid: null },
      lifetimeSeconds: 60,
    })
  await save('d', 'grant-1')
  await save('e', 'grant-2')
  await store.deleteStateOfGrant('RefreshToken', 'grant-1')
  expect(await store.findState('RefreshToken', 'id', 'd'.repeat(43))).toBeUndefined()
  expect(await store.findState('RefreshToken', 'id', 'e'.repeat(43))).toBeDefined()
})
