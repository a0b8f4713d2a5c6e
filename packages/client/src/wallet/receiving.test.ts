import { parseJson } from '@tillit/codec'
import { parseJws, toPublicJwk, verifyJws } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import type { PublicJwk } from '@tillit/schemas'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  didOf,
  documentOf,
  entitlementClaims,
  issue,
  now,
  organisationClaims,
  resolverOver,
  signerOf,
} from '../../../credential/test/city.ts'
import { CityError } from '../city.ts'
import { createDocumentStore, createMemoryWalletStore, type WalletDocument } from './document-store.ts'
import { authorityKey, type IssuerPeer, offerLink, startIssuer, txCode } from './issuer.fixture.ts'
import { openWallet, type Wallet, type WalletOptions } from './open-wallet.ts'
import type { DeferredCredential, WalletStore } from './wallet-store.ts'

const redirectUri = 'https://wallet.example/cb'

let issuer: IssuerPeer
let store: WalletStore
let document: WalletDocument | null
let wallet: Wallet
let time: Date

beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())
beforeEach(async () => {
  Object.assign(issuer, {
    ...{ metadata: {}, server: {}, token: {}, notifications: [], bindTo: null, metadataSigner: null },
    ...{ dpopNonce: null, encrypts: false, response: (response: object) => response },
  })
  issuer.seen.length = 0
  time = now
  document = null
  store = createDocumentStore({
    load: async () => document,
    save: async (next) => {
      document = next
    },
  })
  wallet = await walletWith({})
})

async function walletWith(options: Partial<WalletOptions>): Promise<Wallet> {
  const resolveDid = resolverOver(await Promise.all(['utility', 'authority', 'stranger'].map(documentOf)))
  return openWallet({ store, resolveDid, now: () => time, ...options })
}

const receive = async (options = {}) =>
  wallet.receive(await wallet.openOffer(offerLink(issuer)), { txCode, ...options })
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing is wrong',
    (error: unknown) => (isProblem(error) || error instanceof CityError ? error.code : String(error)),
  )
const asked = (path: string) => issuer.seen.filter((request) => request.path === path)
const form = (path: string) => Object.fromEntries(new URLSearchParams(asked(path).at(-1)?.body))

describe('an offer', () => {
  test('is shown before anything is accepted', async () => {
    const { offer, metadata } = await wallet.openOffer(offerLink(issuer))
    expect(offer.preAuthorized?.txCode).toEqual({ inputMode: 'numeric', length: 6, description: 'It came by letter' })
    expect([...metadata.configurations.keys()]).toEqual(['MeteringPointEntitlement'])
    expect(issuer.seen.every(({ method }) => method === 'GET')).toBe(true)
    expect(document).toBeNull()
  })

  test('oid4vci-1_0-wallet-test-credential-issuance-notification: with its code becomes a credential that is bound to a key of the wallet, and the issuer is told', async () => {
    const { credentials, deferred } = await receive()
    expect(deferred).toEqual([])
    expect(await wallet.list()).toMatchObject([
      {
        ...{ type: 'MeteringPointEntitlement', issuer: didOf('utility'), status: 'unknown' },
        ...{ expires: new Date('2027-11-01T00:00:00Z'), claims: entitlementClaims },
      },
    ])
    expect(await store.findKey(credentials[0]?.keyId ?? '')).not.toBeNull()
    expect(issuer.notifications).toEqual([{ notification_id: 'notification', event: 'credential_accepted' }])
  })

  test('is kept although the issuer does not take the notification', async () => {
    issuer.on('POST', '/notification', () => ({ status: 500, body: 'a page of a proxy' }))
    expect((await receive()).credentials).toHaveLength(1)
    issuer.on('POST', '/notification', ({ body }) => {
      issuer.notifications.push(parseJson(body) as Record<string, unknown>)
      return { status: 204 }
    })
  })

  test('leaves no key behind but that of the credential', async () => {
    const { credentials } = await receive()
    expect(document?.keys).toHaveLength(1)
    await wallet.forget(credentials[0]?.id ?? '')
    expect(document).toEqual({ keys: [], credentials: [], deferred: [] })
  })

  test('is answered without saying which wallet it is, when the wallet has no name there', async () => {
    await receive()
    expect(form('/oauth/token')).not.toHaveProperty('client_id')
    const { proofs } = parseJson(asked('/credential')[0]?.body ?? '') as { proofs: { jwt: string[] } }
    expect(parseJws(proofs.jwt[0] ?? '').payload).not.toHaveProperty('iss')
  })

  test('oid4vci-1_0-wallet-test-batch-credential-issuance: gives several copies in any order, each with a key of its own, as far as the issuer goes', async () => {
    issuer.response = ({ credentials, ...response }) => ({
      ...response,
      credentials: (credentials as object[]).reverse(),
    })
    const { credentials } = await receive({ copies: 5 })
    expect(new Set(credentials.map(({ keyId }) => keyId)).size).toBe(3)
    expect(asked('/credential')).toHaveLength(1)
  })

  test('goes both ways encrypted when the issuer can', async () => {
    issuer.encrypts = true
    const { credentials } = await receive()
    expect(credentials).toHaveLength(1)
    expect(asked('/credential')[0]?.headers['content-type']).toBe('application/jwt')
    expect(asked('/credential')[0]?.body.split('.')).toHaveLength(5)
  })

  test('goes on when the server wants a DPoP nonce, and when a nonce ran out', async () => {
    issuer.dpopNonce = 'fresh'
    const addNonce = issuer.nonces.add.bind(issuer.nonces)
    let first = true
    issuer.nonces.add = (nonce) => {
      if (!first) return addNonce(nonce)
      first = false
      return issuer.nonces
    }
    expect((await receive()).credentials).toHaveLength(1)
    expect(asked('/oauth/token')).toHaveLength(2)
    expect(asked('/credential')).toHaveLength(2)
  })

  test('is named by the identifiers that came with the token', async () => {
    issuer.token = {
      authorization_details: [
        {
          type: 'openid_credential',
          credential_configuration_id: 'MeteringPointEntitlement',
          credential_identifiers: ['first point', 'second point'],
        },
      ],
    }
    expect((await receive()).credentials).toHaveLength(2)
    const bodies = asked('/credential').map(({ body }) => parseJson(body) as Record<string, unknown>)
    expect(bodies.map((body) => body.credential_identifier)).toEqual(['first point', 'second point'])
    expect(bodies.every((body) => !('credential_configuration_id' in body))).toBe(true)
  })

  test('is accepted in part where the server understands what is wanted', async () => {
    issuer.server = { authorization_details_types_supported: ['openid_credential'] }
    const link = offerLink(issuer, { credential_configuration_ids: ['MeteringPointEntitlement', 'Other'] })
    const configurations = {
      MeteringPointEntitlement: { format: 'dc+sd-jwt', vct: 'a', proof_types_supported: {} },
      Other: { format: 'dc+sd-jwt', vct: 'b', proof_types_supported: {} },
    }
    issuer.metadata = { credential_configurations_supported: configurations }
    const opened = await wallet.openOffer(link)
    expect(await codeOf(wallet.receive(opened, { txCode, configurationIds: ['Other'] }))).toBe('feature-not-supported')
    expect(parseJson(form('/oauth/token').authorization_details ?? '')).toEqual([
      { type: 'openid_credential', credential_configuration_id: 'Other', locations: [issuer.url] },
    ])
    expect(await codeOf(wallet.receive(opened, { txCode, configurationIds: ['Third'] }))).toBe(
      'invalid-credential-offer',
    )
  })

  test('needs its transaction code, and a wrong one leaves nothing behind', async () => {
    const opened = await wallet.openOffer(offerLink(issuer))
    expect(await codeOf(wallet.receive(opened))).toBe('invalid-credential-offer')
    expect(asked('/oauth/token')).toEqual([])
    expect(await codeOf(wallet.receive(opened, { txCode: '000000' }))).toBe('invalid_grant')
    expect(document?.keys ?? []).toEqual([])
  })

  test('that was refused stays without effect on what the wallet holds', async () => {
    await receive()
    const before = document
    issuer.response = () => ({ credentials: [{ credential: 'no credential' }] })
    expect(await codeOf(receive())).toBe('invalid-credential')
    expect(document).toEqual(before)
  })
})

describe('a careful wallet refuses', () => {
  test.each([
    ['metadata of another issuer', { metadata: { credential_issuer: 'https://other.example' } }],
    ['metadata of another authorization server', { server: { issuer: 'https://other.example' } }],
    ['metadata that names no credentials', { metadata: { credential_configurations_supported: undefined } }],
    ['metadata without an endpoint', { metadata: { credential_endpoint: undefined } }],
    ['metadata that is a list', { metadata: { credential_endpoint: ['https://a.example'] } }],
  ])('%s', async (_what, changes) => {
    Object.assign(issuer, changes)
    expect(await codeOf(wallet.openOffer(offerLink(issuer)))).toBe('invalid-issuer-metadata')
  })

  test.each([
    ['a credential endpoint without TLS', { metadata: { credential_endpoint: 'http://city.example/credential' } }],
    ['a token endpoint without TLS', { server: { token_endpoint: 'http://city.example/token' } }],
  ])('%s', async (_what, changes) => {
    Object.assign(issuer, changes)
    expect(await codeOf(wallet.openOffer(offerLink(issuer)))).toBe('invalid-request')
  })

  test('an authorization server that the issuer does not use', async () => {
    const grants = { authorization_code: { authorization_server: 'https://other.example' } }
    expect(await codeOf(wallet.openOffer(offerLink(issuer, { grants })))).toBe('invalid-issuer-metadata')
  })

  test.each([['Unknown'], ['Unreadable']])('an offer of %s, which it could not keep', async (id) => {
    const link = offerLink(issuer, { credential_configuration_ids: [id] })
    expect(await codeOf(wallet.openOffer(link))).toBe('invalid-credential-offer')
  })

  test('a token that is not bound to its key', async () => {
    issuer.token = { token_type: 'Bearer' }
    expect(await codeOf(receive())).toBe('invalid-issuer-metadata')
    expect(asked('/credential')).toEqual([])
  })

  test('a credential that is bound to another key', async () => {
    issuer.bindTo = toPublicJwk((await signerOf('stranger')).publicKey)
    expect(await codeOf(receive())).toBe('invalid-credential')
    expect(await wallet.list()).toEqual([])
    expect(issuer.notifications).toEqual([{ notification_id: 'notification', event: 'credential_failure' }])
  })

  test('a credential of another type than it asked for', async () => {
    issuer.response = async (response, request) => {
      const { jwt } = request.proofs as { jwt: string[] }
      const holderJwk = parseJws(jwt[0] ?? '').header.jwk as never
      return {
        ...response,
        credentials: [
          {
            credential: await issue('registrar', 'OrganisationCredential', organisationClaims, {
              holderJwk,
              issuerDid: didOf('utility'),
              keyId: `${didOf('utility')}#key-1`,
              signer: await signerOf('utility'),
            }),
          },
        ],
      }
    }
    expect(await codeOf(receive())).toBe('invalid-credential')
  })

  test('a credential that its issuer did not sign', async () => {
    issuer.response = ({ credentials, ...response }) => {
      const [{ credential } = { credential: '' }] = credentials as { credential: string }[]
      const [header, payload, rest = ''] = credential.split('.')
      return {
        ...response,
        credentials: [{ credential: `${header}.${payload}.${rest.startsWith('A') ? 'B' : 'A'}${rest.slice(1)}` }],
      }
    }
    expect(await codeOf(receive())).toMatch(/^invalid-(credential-signature|signature)$/)
    expect(document?.keys).toEqual([])
  })

  test('an answer in the clear that was to be encrypted', async () => {
    issuer.encrypts = true
    issuer.on('POST', '/nonce', () => ({ body: { c_nonce: 'any' } }))
    issuer.response = (_response, request) => {
      delete request.credential_response_encryption
      return { credentials: [{ credential: 'in the clear' }] }
    }
    issuer.nonces.add('any')
    expect(await codeOf(receive())).toBe('invalid-issuer-metadata')
  })

  test('to encrypt less than the issuer requires', async () => {
    issuer.metadata = {
      credential_response_encryption: {
        alg_values_supported: ['RSA-OAEP'],
        enc_values_supported: ['A256GCM'],
        encryption_required: true,
      },
    }
    expect(await codeOf(receive())).toBe('feature-not-supported')
  })
})

describe('an issuer that wants keys attested', () => {
  beforeEach(() => {
    const vct = 'https://tillit.example/credentials/MeteringPointEntitlement'
    const jwt = { proof_signing_alg_values_supported: ['ES256'], key_attestations_required: {} }
    issuer.metadata = {
      credential_configurations_supported: {
        MeteringPointEntitlement: { format: 'dc+sd-jwt', vct, proof_types_supported: { jwt } },
      },
    }
  })

  test('gets one proof, with an attestation of all keys over its nonce', async () => {
    const attested: { keys: readonly PublicJwk[]; nonce: string | null }[] = []
    wallet = await walletWith({
      attestKeys: async (keys, nonce) => {
        attested.push({ keys, nonce })
        return 'the attestation'
      },
    })
    issuer.response = async (response) => {
      const keys = attested.at(-1)?.keys ?? []
      const credentials = keys.map(async (holderJwk) => ({
        credential: await issue('utility', 'MeteringPointEntitlement', entitlementClaims, { holderJwk }),
      }))
      return { ...response, credentials: await Promise.all(credentials) }
    }
    const { credentials } = await receive({ copies: 2 })
    expect(new Set(credentials.map(({ keyId }) => keyId)).size).toBe(2)
    const { proofs } = parseJson(asked('/credential')[0]?.body ?? '') as { proofs: { jwt: string[] } }
    expect(proofs.jwt).toHaveLength(1)
    const { header, payload } = parseJws(proofs.jwt[0] ?? '')
    expect([header.key_attestation, header.jwk]).toEqual(['the attestation', attested[0]?.keys[0]])
    expect(attested).toMatchObject([{ keys: [{}, {}], nonce: payload.nonce }])
  })

  test('gets nothing from a wallet that nobody speaks for', async () => {
    expect(await codeOf(receive())).toBe('feature-not-supported')
    expect(document?.keys).toEqual([])
  })
})

describe('signed metadata', () => {
  test('is taken when a key of its signer verifies it, and says who signed', async () => {
    issuer.metadataSigner = await authorityKey()
    const { metadata } = await wallet.openOffer(offerLink(issuer))
    expect(metadata.signedBy).toBe(didOf('authority'))
  })

  test.each([
    ['of another issuer', { sub: 'https://other.example' }, 'authority', 'invalid-issuer-metadata'],
    ['that expired', { exp: 1 }, 'authority', 'invalid-issuer-metadata'],
    ['by another key', {}, 'stranger', 'invalid-signature'],
  ])('%s is refused', async (_what, changes, by, code) => {
    issuer.metadataSigner = { ...(await authorityKey()), changes, signer: await signerOf(by) }
    expect(await codeOf(wallet.openOffer(offerLink(issuer)))).toBe(code)
  })
})

describe('a credential that is promised', () => {
  let ready: boolean
  beforeEach(() => {
    ready = false
    let keys: unknown
    issuer.response = (_response, request) => {
      keys = request.proofs
      return { transaction_id: 'later', interval: 30 }
    }
    issuer.on('POST', '/deferred', async ({ body }) => {
      expect(parseJson(body)).toEqual({ transaction_id: 'later' })
      if (!ready) return { status: 202, body: { transaction_id: 'later', interval: 60 } }
      const { jwt } = keys as { jwt: string[] }
      const holderJwk = parseJws(jwt[0] ?? '').header.jwk as never
      const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims, { holderJwk })
      return { body: { credentials: [{ credential }], notification_id: 'notification' } }
    })
  })

  test('is asked for when its time has come, and kept', async () => {
    const { credentials, deferred } = await receive()
    expect([credentials, deferred.map(({ transactionId }) => transactionId)]).toEqual([[], ['later']])
    expect((await wallet.collect()).deferred).toHaveLength(1)
    expect(asked('/deferred')).toHaveLength(0)

    time = new Date(now.getTime() + 31_000)
    expect((await wallet.collect()).deferred).toHaveLength(1)
    expect(asked('/deferred')).toHaveLength(1)

    ready = true
    time = new Date(now.getTime() + 92_000)
    const collected = await wallet.collect()
    expect([collected.credentials.length, collected.deferred]).toEqual([1, []])
    expect(document?.keys).toHaveLength(1)
    expect(issuer.notifications).toMatchObject([{ event: 'credential_accepted' }])
  })

  test('is asked for with a new token where the server gives refresh tokens', async () => {
    issuer.token = { refresh_token: 'again' }
    await receive()
    ready = true
    time = new Date(now.getTime() + 86_400_000)
    expect((await wallet.collect()).credentials).toHaveLength(1)
    expect(form('/oauth/token')).toEqual({ grant_type: 'refresh_token', refresh_token: 'again' })
  })

  test('keeps its refresh token when the server gives no new one', async () => {
    issuer.token = { refresh_token: 'again' }
    await receive()
    issuer.token = {}
    for (const days of [1, 2]) {
      time = new Date(now.getTime() + days * 86_400_000)
      expect((await wallet.collect()).deferred).toMatchObject([{ refreshToken: 'again' }])
    }
  })

  test('leaves the key of its token to another one under the same token', async () => {
    issuer.token = {
      authorization_details: [
        {
          ...{ type: 'openid_credential', credential_configuration_id: 'MeteringPointEntitlement' },
          credential_identifiers: ['first', 'second'],
        },
      ],
    }
    const { deferred } = await receive()
    const [dpopKeyId] = new Set(deferred.map((one) => one.dpopKeyId))
    ready = true
    await store.addDeferred({ ...deferred[0], askAfter: '2000-01-01T00:00:00.000Z' } as DeferredCredential)
    // The issuer of this test binds what was promised to the key of the last request.
    expect(await codeOf(wallet.collect())).toBe('invalid-credential')
    expect(await store.findKey(dpopKeyId ?? '')).not.toBeNull()
    time = new Date(now.getTime() + 31_000)
    expect((await wallet.collect()).credentials).toHaveLength(1)
    expect(document).toMatchObject({ keys: [{}], credentials: [{}], deferred: [] })
  })
})

describe('by signing in', () => {
  const client = { clientId: 'wallet.example', redirectUri }
  beforeEach(async () => {
    wallet = await walletWith({ client })
  })
  const back = (answer: Record<string, string>) => `${redirectUri}?${new URLSearchParams(answer)}`
  const begin = async () => wallet.beginInBrowser(await wallet.openOffer(offerLink(issuer)))

  test('the request is pushed, with PKCE, the key of the token and what is asked for', async () => {
    const { url, pending } = await begin()
    expect(url).toBe(`${issuer.url}/oauth/authorize?client_id=wallet.example&request_uri=urn%3Apushed%3A1`)
    const pushed = form('/oauth/par')
    expect(pushed).toMatchObject({
      ...{ response_type: 'code', code_challenge_method: 'S256', issuer_state: 'state of the offer' },
      ...{ state: pending.state, redirect_uri: redirectUri, dpop_jkt: pending.dpopKeyId },
    })
    expect(parseJson(pushed.authorization_details ?? '')).toEqual([
      {
        ...{ type: 'openid_credential', credential_configuration_id: 'MeteringPointEntitlement' },
        locations: [issuer.url],
      },
    ])
    expect(pushed.code_challenge).not.toBe(pending.codeVerifier)
  })

  test('oid4vci-1_0-wallet-test-credential-issuance: the code becomes a credential', async () => {
    const { pending } = await begin()
    const answer = back({ code: 'the code', state: pending.state, iss: `${issuer.url}/oauth` })
    const kept = JSON.parse(JSON.stringify(pending)) as typeof pending
    expect((await wallet.finishInBrowser(kept, answer)).credentials).toHaveLength(1)
    expect(form('/oauth/token')).toMatchObject({
      code: 'the code',
      code_verifier: pending.codeVerifier,
      client_id: 'wallet.example',
    })
    expect(document?.keys).toHaveLength(1)
  })

  test.each([
    ['with another state', { code: 'the code', state: 'another', iss: 'same' }, 'invalid-request'],
    ['without a state', { code: 'the code', iss: 'same' }, 'invalid-request'],
    [
      'of another authorization server',
      { code: 'the code', state: 'same', iss: 'https://other.example' },
      'invalid-request',
    ],
    ['of a server that does not name itself', { code: 'the code', state: 'same' }, 'invalid-request'],
    ['without a code', { state: 'same', iss: 'same' }, 'invalid-request'],
    ['of somebody who said no', { error: 'access_denied', state: 'same', iss: 'same' }, 'access_denied'],
  ])(
    'an answer %s is not redeemed',
    async (_what, { state, iss, ...answer }: Record<string, string | undefined>, code) => {
      const { pending } = await begin()
      const redirected = back({
        ...(answer as Record<string, string>),
        ...(state === undefined ? {} : { state: state === 'same' ? pending.state : state }),
        ...(iss === undefined ? {} : { iss: iss === 'same' ? `${issuer.url}/oauth` : iss }),
      })
      expect(await codeOf(wallet.finishInBrowser(pending, redirected))).toBe(code)
      expect(asked('/oauth/token')).toEqual([])
    },
  )

  test('an answer that came to another address is not redeemed', async () => {
    const { pending } = await begin()
    const answer = `https://wallet.example/other?code=c&state=${pending.state}&iss=${issuer.url}/oauth`
    expect(await codeOf(wallet.finishInBrowser(pending, answer))).toBe('invalid-request')
  })

  test('a wallet that no server knows cannot begin', async () => {
    wallet = await walletWith({})
    expect(await codeOf(begin())).toBe('feature-not-supported')
  })

  test('oid4vci-1_0-wallet-test-client-attestation-challenge: an attested wallet proves its key over a fresh challenge', async () => {
    const instanceKey = await signerOf('wallet instance')
    wallet = await walletWith({ client: { ...client, attestation: { jwt: async () => 'attestation', instanceKey } } })
    issuer.server = { challenge_endpoint: `${issuer.url}/oauth/challenge` }
    issuer.on('POST', '/oauth/challenge', () => ({ body: { attestation_challenge: 'the challenge' } }))
    const { pending } = await begin()
    await wallet.finishInBrowser(pending, back({ code: 'c', state: pending.state, iss: `${issuer.url}/oauth` }))
    for (const path of ['/oauth/par', '/oauth/token']) {
      const headers = asked(path)[0]?.headers ?? {}
      expect(headers['oauth-client-attestation']).toBe('attestation')
      const pop = verifyJws(String(headers['oauth-client-attestation-pop']), instanceKey.publicKey, {
        typ: 'oauth-client-attestation-pop+jwt',
      })
      expect(pop.payload).toMatchObject({ aud: `${issuer.url}/oauth`, challenge: 'the challenge' })
    }
    expect(asked('/oauth/challenge')).toHaveLength(2)
  })
})

test('a list says when a credential has expired, and asks for its status only when it may', async () => {
  await receive()
  const statuses: string[] = []
  const readStatus = async (uri: string) => {
    statuses.push(uri)
    return 'revoked' as const
  }
  expect((await wallet.list())[0]?.status).toBe('unknown')
  expect(statuses).toEqual([])
  expect((await wallet.list({ readStatus }))[0]?.status).toBe('revoked')
  time = new Date('2028-01-01T00:00:00Z')
  expect((await wallet.list({ readStatus }))[0]?.status).toBe('expired')
  expect(statuses).toHaveLength(1)
})

test('two wallets that receive the same have no key in common', async () => {
  const first = await receive()
  store = createMemoryWalletStore()
  wallet = await walletWith({})
  const second = await receive()
  expect(first.credentials[0]?.keyId).not.toBe(second.credentials[0]?.keyId)
})
