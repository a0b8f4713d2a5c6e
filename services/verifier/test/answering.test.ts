import { presentVpJwt, typeIriOf } from '@tillit/credential'
import { administer } from '@tillit/database'
import { signJws, toPublicJwk } from '@tillit/keys'
import { CompactEncrypt, decodeJwt, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  createPresentingWallet,
  type Holder,
  type PresentingWallet,
} from '../../../test/packages/independent-wallet/present-credential.ts'
import { walletKeyFrom } from '../../../test/packages/independent-wallet/wallet-key.ts'
import { type Asked, startVerifier, type TestVerifier } from './start-verifier.ts'

const gsrn = '707057500000000001'
let verifier: TestVerifier
let wallet: PresentingWallet
let holder: Holder

beforeAll(async () => {
  verifier = await startVerifier()
  wallet = createPresentingWallet({
    fetch: verifier.fetch,
    resolveKey: async () => ({ ...toPublicJwk(verifier.city.authority.signer.publicKey) }),
  })
  const { credential } = await verifier.entitlement()
  holder = { credentials: [credential], key: await walletKeyFrom(verifier.holder.jwk) }
}, 60_000)

afterAll(() => verifier.stop())

beforeEach(() => {
  verifier.city.clock.now = new Date()
})

afterEach(() => {
  vi.useRealTimers()
})

const ask = (changes: object = {}): Promise<Asked> =>
  verifier.ask({ preset: { name: 'may-act-for-metering-point', metering_point: verifier.point }, ...changes })

async function answer(asked: Asked): Promise<Response> {
  return wallet.answer(await wallet.resolve(asked.request.links.openid4vp), holder)
}

function post(uri: string, form: Record<string, string>): Promise<Response> {
  return verifier.fetch(uri, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form),
  })
}

async function requestOf(asked: Asked): Promise<{ responseUri: string; key: JWK }> {
  const claims = decodeJwt<{ response_uri: string; client_metadata: { jwks?: { keys: JWK[] } } }>(
    await (await verifier.fetch(asked.request.request_uri)).text(),
  )
  return { responseUri: claims.response_uri, key: claims.client_metadata.jwks?.keys[0] ?? {} }
}

function later(seconds: number): void {
  verifier.city.clock.now = new Date(verifier.city.clock.now.getTime() + seconds * 1000)
}

describe('the same device', () => {
  const sameDevice = { flow: 'same-device', redirect_uri: 'https://adviser.example/done?session=7' }

  test('sends the holder back with a code, without which nobody reads the result', async () => {
    const asked = await ask(sameDevice)
    const { redirect_uri } = (await (await answer(asked)).json()) as { redirect_uri: string }
    const redirect = new URL(redirect_uri)
    expect(redirect.origin + redirect.pathname).toBe('https://adviser.example/done')
    expect(redirect.searchParams.get('session')).toBe('7')
    const code = redirect.searchParams.get('response_code') ?? ''
    expect(code).toMatch(/^[A-Za-z0-9_-]{43}$/)
    for (const wrong of [undefined, '', code.slice(1), `${code}A`]) {
      const { status, body } = await verifier.read(asked, wrong)
      expect([status, body.code]).toEqual([403, 'response-code-mismatch'])
    }
    expect((await verifier.read(asked, code)).body).toMatchObject({ state: 'proved' })
  })

  test('gives no code of another session', async () => {
    const [mine, victims] = [await ask(sameDevice), await ask(sameDevice)]
    const { redirect_uri } = (await (await answer(mine)).json()) as { redirect_uri: string }
    await answer(victims)
    const code = new URL(redirect_uri).searchParams.get('response_code') ?? ''
    expect((await verifier.read(victims, code)).status).toBe(403)
  })

  test('sends the holder back who declines, too', async () => {
    const asked = await ask(sameDevice)
    const { responseUri } = await requestOf(asked)
    const reply = await post(responseUri, { error: 'access_denied' })
    expect(await reply.json()).toEqual({ redirect_uri: expect.stringContaining('response_code=') })
    expect((await verifier.read(asked)).body).toMatchObject({ state: 'declined', error: { error: 'access_denied' } })
  })
})

describe('across devices', () => {
  test('the result is read by the organisation that asked, and by no other', async () => {
    const asked = await ask()
    expect(await (await answer(asked)).json()).toEqual({})
    const path = `/presentations/${asked.id}`
    expect((await verifier.call(verifier.city.utility, 'GET', path)).body).toMatchObject({ status: 404 })
    expect((await verifier.call(verifier.city.utility, 'DELETE', path)).body).toMatchObject({ status: 404 })
    expect((await verifier.call(null, 'GET', path)).status).toBe(401)
    expect((await verifier.read(asked)).body).toMatchObject({ state: 'proved' })
  })

  test('of several answers at once one counts', async () => {
    const asked = await ask()
    const request = await wallet.resolve(asked.request.links.openid4vp)
    const replies = await Promise.all(Array.from({ length: 8 }, () => wallet.answer(request, holder)))
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 410)])
  })

  test('an answer after the time is too late', async () => {
    const asked = await ask({ expires_in: 30 })
    const request = await wallet.resolve(asked.request.links.openid4vp)
    later(31)
    expect((await wallet.answer(request, holder)).status).toBe(410)
    expect((await verifier.read(asked)).body).toMatchObject({ state: 'expired' })
  })

  const swapRoot = 'UPDATE credentials.parties SET is_root = NOT is_root WHERE roles[1] = $$trust_registrar$$'
  test.each([
    ['the root of trust is not there', 503, swapRoot, swapRoot],
    [
      'everything is locked away',
      500,
      'ALTER SCHEMA credentials RENAME TO away',
      'ALTER SCHEMA away RENAME TO credentials',
    ],
    [
      'the statuses are locked away',
      500,
      'ALTER TABLE credentials.issued_credentials RENAME TO away',
      'ALTER TABLE credentials.away RENAME TO issued_credentials',
    ],
  ])('a fault of ours leaves the request open for another try: %s', async (_name, status, breaking, mending) => {
    const asked = await ask()
    const request = await wallet.resolve(asked.request.links.openid4vp)
    const { url } = verifier.city.database
    await administer(url, breaking)
    const broken = await wallet.answer(request, holder)
    await administer(url, mending)
    expect(broken.status).toBe(status)
    expect((await verifier.read(asked)).body).toMatchObject({ state: 'fetched' })
    expect((await wallet.answer(request, holder)).status).toBe(200)
  })

  test('a status at an index beyond every list is not known, and is no fault of ours', async () => {
    const [jwt = '', ...rest] = (holder.credentials[0] ?? '').split('~')
    const claims = decodeJwt<{ status: { status_list: { uri: string } } }>(jwt)
    const { uri } = claims.status.status_list
    const { did, keyId, signer } = verifier.city.utility
    const payload = { ...claims, iss: did, status: { status_list: { uri, idx: 2 ** 31 } } }
    const forged = [await signJws({ typ: 'dc+sd-jwt', kid: keyId }, payload, signer), ...rest].join('~')
    const asked = await ask()
    const request = await wallet.resolve(asked.request.links.openid4vp)
    expect((await wallet.answer(request, { ...holder, credentials: [forged] })).status).toBe(400)
    expect((await verifier.read(asked)).body).toMatchObject({ state: 'refused', error: { error: 'status-unknown' } })
  })

  test('a credential whose issuer cannot be looked up here is refused, and no second try is invited', async () => {
    const [, ...rest] = (holder.credentials[0] ?? '').split('~')
    const payload = { ...decodeJwt(holder.credentials[0]?.split('~')[0] ?? ''), iss: 'did:unheard:of' }
    const header = { typ: 'dc+sd-jwt', kid: 'did:unheard:of#key-1' }
    const foreign = [await signJws(header, payload, verifier.holder.signer), ...rest].join('~')
    const asked = await ask()
    const request = await wallet.resolve(asked.request.links.openid4vp)
    const reply = await wallet.answer(request, { ...holder, credentials: [foreign] })
    expect(reply.status).toBe(400)
    expect((await verifier.read(asked)).body).toMatchObject({
      state: 'refused',
      error: { error: 'did-method-not-supported' },
    })
  })
})

describe('what is kept', () => {
  test('is what was asked for: neither the presentation, nor other claims, nor the key', async () => {
    const asked = await ask()
    const request = await wallet.resolve(asked.request.links.openid4vp)
    const [presentation = ''] = (await wallet.present(request, holder)).entitlement ?? []
    await wallet.answer(request, holder)
    const row = (await verifier.rows()).find(({ id }) => id === asked.id)
    expect(row).toMatchObject({ outcome: 'proved', encryption_key: null, response_code_sha256: null })
    expect(row?.result).toEqual({
      credentials: [
        {
          query: 'entitlement',
          format: 'dc+sd-jwt',
          type: 'MeteringPointEntitlement',
          issuer: verifier.city.utility.did,
          issued_at: expect.any(String),
          expires_at: expect.any(String),
          claims: { metering_point: verifier.point },
          transactions: [],
        },
      ],
    })
    const text = JSON.stringify(row)
    for (const other of [gsrn, presentation.split('.')[1] ?? '', verifier.holder.did]) expect(text).not.toContain(other)
  })

  test('is no claim where none was asked for, though the credential shows some', async () => {
    const meta = { vct_values: ['https://tillit.example/credentials/MeteringPointEntitlement'] }
    const query = { credentials: [{ id: 'entitlement', format: 'dc+sd-jwt', meta }] }
    const asked = await ask({ preset: undefined, query })
    await answer(asked)
    expect((await verifier.read(asked)).body).toMatchObject({ state: 'proved', credentials: [{ claims: {} }] })
    expect(JSON.stringify((await verifier.read(asked)).body)).not.toContain(verifier.point)
  })

  test('is shown until the time that was stated, and then deleted', async () => {
    const asked = await ask({ keep_result: 60 })
    await answer(asked)
    const { body } = await verifier.read(asked)
    expect(Date.parse(String(body.delete_at)) - verifier.city.clock.now.getTime()).toBe(60_000)
    later(60)
    expect((await verifier.read(asked)).status).toBe(404)
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    await verifier.service.start()
    await vi.advanceTimersByTimeAsync(10_000)
    await verifier.service.stop()
    expect((await verifier.rows()).map(({ id }) => id)).not.toContain(asked.id)
  })

  test('is gone when the organisation says so', async () => {
    const asked = await ask()
    await answer(asked)
    expect((await verifier.call(verifier.adviser, 'DELETE', `/presentations/${asked.id}`)).status).toBe(204)
    expect((await verifier.read(asked)).status).toBe(404)
    expect((await verifier.rows()).map(({ id }) => id)).not.toContain(asked.id)
  })
})

describe('a wallet that does not present', () => {
  test.each(['direct_post', 'direct_post.jwt'])('says why, and the asker learns it: %s', async (response_mode) => {
    const asked = await ask({ response_mode })
    const { responseUri } = await requestOf(asked)
    const reply = await post(responseUri, { error: 'access_denied', error_description: 'The holder said no' })
    expect(reply.status).toBe(200)
    expect((await verifier.read(asked)).body).toMatchObject({
      state: 'declined',
      error: { error: 'access_denied', error_description: 'The holder said no' },
    })
    expect((await post(responseUri, { error: 'access_denied' })).status).toBe(410)
  })

  test.each([
    ['is cut between the halves of a character', `${'a'.repeat(299)}😀`],
    ['holds what a database cannot keep', 'no\u0000thanks'],
  ])('is taken at its word also when what it says %s', async (_name, error_description) => {
    const asked = await ask()
    const { responseUri } = await requestOf(asked)
    expect((await post(responseUri, { error: 'access_denied', error_description })).status).toBe(200)
    expect((await verifier.read(asked)).body).toMatchObject({ state: 'declined', error: { error: 'access_denied' } })
  })

  test('may encrypt why', async () => {
    const asked = await ask()
    const { responseUri, key } = await requestOf(asked)
    const reply = await post(responseUri, { response: await encrypt({ error: 'vp_formats_not_supported' }, key) })
    expect(reply.status).toBe(200)
    expect((await verifier.read(asked)).body).toMatchObject({ error: { error: 'vp_formats_not_supported' } })
  })
})

async function encrypt(payload: object | string, key: JWK, header: object = {}): Promise<string> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: key.kid ?? '', ...header })
    .encrypt(await importJWK(key, 'ECDH-ES'))
}

describe('a credential of the data model 2.0', () => {
  const query = {
    credentials: [
      {
        ...{ id: 'entitlement', format: 'jwt_vc_json', claims: [{ path: ['credentialSubject', 'role'] }] },
        meta: { type_values: [[typeIriOf('MeteringPointEntitlement')]] },
      },
    ],
  }

  test('is presented as vp+jwt, and refused once it is revoked', async () => {
    const claims = { gsrn, metering_point: verifier.point, role: 'holder', from: '2025-01-01T00:00:00+01:00' }
    const { credential, id } = await verifier.issue('MeteringPointEntitlement', claims, 'jwt_vc_json')
    const present = async () => {
      const asked = await ask({ preset: undefined, query })
      const { authorizationRequestPayload: request } = await wallet.resolve(asked.request.links.openid4vp)
      const { did, keyId, signer } = verifier.holder
      const vpJwt = await presentVpJwt({
        ...{ holderDid: did, keyId, signer, credentials: [credential], now: verifier.city.clock.now },
        ...{ audience: request.client_id ?? '', nonce: request.nonce },
      })
      const { responseUri, key } = await requestOf(asked)
      const reply = await post(responseUri, { response: await encrypt({ vp_token: { entitlement: [vpJwt] } }, key) })
      return { status: reply.status, body: (await verifier.read(asked)).body }
    }
    expect(await present()).toMatchObject({
      status: 200,
      body: { credentials: [{ format: 'jwt_vc_json', claims: { credentialSubject: { role: 'holder' } } }] },
    })
    const { utility } = verifier.city
    await verifier.city.call({ kind: 'organisation', id: utility.did }, 'POST', `/credentials/${id}/revocation`)
    expect(await present()).toMatchObject({ status: 400, body: { error: { error: 'credential-revoked' } } })
  })
})

describe('a response that cannot be read', () => {
  const vpToken = { vp_token: { entitlement: ['eyJ~'] } }

  test.each<[string, (key: JWK) => Promise<Record<string, string>>]>([
    ['is empty', async () => ({})],
    ['is not encrypted though that was asked for', async () => ({ vp_token: JSON.stringify(vpToken.vp_token) })],
    ['is no JWE', async () => ({ response: 'eyJ' })],
    ['is encrypted to another key', async (key) => ({ response: await encrypt(vpToken, await otherKey(key.kid)) })],
    ['names another key', async (key) => ({ response: await encrypt(vpToken, key, { kid: 'other' }) })],
    ['names no key', async (key) => ({ response: await encrypt(vpToken, key, { kid: undefined }) })],
    [
      'is encrypted in another way',
      async (key) => ({ response: await encrypt(vpToken, key, { enc: 'A256CBC-HS512' }) }),
    ],
    ['wraps its key', async (key) => ({ response: await encrypt(vpToken, key, { alg: 'ECDH-ES+A128KW' }) })],
    ['is signed within', async (key) => ({ response: await encrypt(await signed(vpToken), key) })],
    ['holds no object', async (key) => ({ response: await encrypt('[]', key) })],
    ['holds a member twice', async (key) => ({ response: await encrypt('{"vp_token":{},"vp_token":{}}', key) })],
    ['holds no vp_token', async (key) => ({ response: await encrypt({ state: 'x' }, key) })],
    ['has an error that is no code', async () => ({ error: 'the "holder"' })],
  ])('is refused and leaves the request open when it %s', async (_name, formOf) => {
    const asked = await ask()
    const { responseUri, key } = await requestOf(asked)
    const reply = await post(responseUri, await formOf(key))
    expect(reply.status).toBe(400)
    expect(await reply.json()).toEqual({ error: 'invalid_request', error_description: expect.any(String) })
    expect((await answer(asked)).status).toBe(200)
  })

  test('is refused when it is encrypted though that was not asked for', async () => {
    const asked = await ask({ response_mode: 'direct_post' })
    const { responseUri } = await requestOf(asked)
    const reply = await post(responseUri, { response: await encrypt(vpToken, await otherKey('x')) })
    expect(reply.status).toBe(400)
    expect((await post(responseUri, { vp_token: '{"entitlement":' })).status).toBe(400)
  })

  test('is refused when it is too large, or no form', async () => {
    const { responseUri } = await requestOf(await ask())
    expect((await post(responseUri, { response: 'A'.repeat(600_000) })).status).toBe(413)
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    expect((await verifier.fetch(responseUri, json)).status).toBe(415)
  })
})

async function otherKey(kid: string | undefined): Promise<JWK> {
  const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  return { ...(await exportJWK(publicKey)), alg: 'ECDH-ES', ...(kid === undefined ? {} : { kid }) }
}

async function signed(payload: object): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256')
  return new SignJWT({ ...payload }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
}
