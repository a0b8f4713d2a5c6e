import { randomBytes } from 'node:crypto'
import { connectCity, createAcceptance } from '@tillit/client'
import { canonicalJson, concat, toBase58, toBase64url } from '@tillit/codec'
import { signJws } from '@tillit/keys'
import type { MeteringPoint } from '@tillit/schemas'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adviceScope } from '../services/standalone/src/demonstration/ask.ts'
import { gridArea, homes, organisations, timeZone } from '../services/standalone/src/demonstration/cast.ts'
import { accredit } from '../services/standalone/src/demonstration/seed.ts'
import type { Identity } from '../services/standalone/src/identities.ts'
import { registerIdentity } from '../services/standalone/src/register-identity.ts'
import { openStage, type Stage } from './journeys/stage.ts'

/** An Ed25519 public key of small order: one signature verifies for every message under it. */
const smallOrderKey = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))
const smallOrderMultikey = `z${toBase58(concat(Uint8Array.of(0xed, 0x01), smallOrderKey))}`

let stage: Stage
let meteringPoint: string
beforeAll(async () => {
  stage = await openStage()
  for (const [identity, claims] of [
    [stage.city.utility, organisations.utility],
    [stage.adviser, organisations.adviser],
  ] as const) {
    await registerIdentity(stage.city.url, identity, { listed: true })
    await accredit(stage.registrar, identity, claims)
  }
  const point = await stage.utility.post<MeteringPoint>('/metering-points', {
    gsrn: homes.ola.gsrn,
    grid_area: gridArea,
    time_zone: timeZone,
  })
  meteringPoint = point.id
})
afterAll(() => stage.close())

/** Rows of everything that a request could have stored. */
async function storedRows(): Promise<Record<string, number>> {
  const client = new pg.Client({ connectionString: stage.city.databaseUrl })
  await client.connect()
  try {
    const counts: Record<string, number> = {}
    for (const table of [
      'registry.dids',
      'registry.did_entries',
      'metering.metering_points',
      'metering.readings',
      'metering.devices',
      'permissions.permissions',
      'permissions.delegations',
      'permissions.customer_keys',
      'credentials.parties',
    ]) {
      const { rows } = await client.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`)
      counts[table] = Number(rows[0]?.n)
    }
    return counts
  } finally {
    await client.end()
  }
}

async function refusedWith(code: string, act: () => Promise<unknown>): Promise<void> {
  const before = await storedRows()
  const error = await act().then(
    () => null,
    (fault: unknown) => fault,
  )
  expect(error).toMatchObject({ code })
  expect(await storedRows()).toEqual(before)
}

describe('what is refused says so with its own code, and stores nothing', () => {
  const scope = (changes: object) => ({
    scope: { ...adviceScope(homes.ola.gsrn, { now: new Date(), recipients: [] }), ...changes },
  })
  const ask = (body: unknown) => () => stage.as(stage.adviser).post('/permission-requests', body)

  test.each([
    [
      'a metering point number with a wrong check digit',
      'invalid-gsrn',
      () => stage.utility.post('/metering-points', { gsrn: '707057500000000026', grid_area: 'X', time_zone: 'UTC' }),
    ],
    [
      'a time zone that is none',
      'invalid-time-zone',
      () =>
        stage.utility.post('/metering-points', { gsrn: '707057500000000032', grid_area: 'X', time_zone: 'Mars/Base' }),
    ],
    [
      'a metering point number with a wrong check digit in a scope',
      'invalid-gsrn',
      ask(scope({ resources: ['gsrn:707057500000000026'] })),
    ],
    ['a scope finer than its purpose allows', 'scope-exceeds-purpose', ask(scope({ finest_granularity: 'PT1M' }))],
    [
      'a scope that lasts longer than its purpose allows',
      'scope-exceeds-purpose',
      ask(scope({ expires: '2099-01-01T00:00:00Z' })),
    ],
    ['an unknown purpose', 'unknown-purpose', ask(scope({ purpose: [{ code: 'world-domination', required: true }] }))],
    ['a granularity that is not canonical', 'invalid-granularity', ask(scope({ finest_granularity: 'PT60M' }))],
    ['an unknown member of the body', 'unknown-field', ask({ ...scope({}), note: 'x' })],
    ['an unknown member of the scope', 'unknown-field', ask(scope({ extra: 1 }))],
    ['a number as text', 'invalid-request', ask(scope({ delegation: { max_depth: '1', recipients: [] } }))],
    ['a body over the limit', 'body-too-large', ask({ ...scope({}), note: 'x'.repeat(1_100_000) })],
    [
      'a request from an organisation that may not ask',
      'role-required',
      () => stage.utility.post('/permission-requests', scope({})),
    ],
  ])('%s', (_, code, act) => refusedWith(code, act))

  test('a DID log entry with a small-order update key', async () => {
    const { genesis } = await stage.newIdentity('weakling')
    const parameters = { ...genesis.parameters, updateKeys: [smallOrderMultikey] }
    const anyone = connectCity({ url: stage.city.url })
    await refusedWith('weak-key', () => anyone.post('/dids', { entry: { ...genesis, parameters }, listed: true }))
  })

  test('a proof of possession made with a small-order key', async () => {
    const part = (value: object) => toBase64url(Buffer.from(JSON.stringify(value)))
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(smallOrderKey) }
    const claims = { htm: 'POST', htu: `${stage.city.url}/oauth/token`, iat: Math.floor(Date.now() / 1000), jti: 'x' }
    // R = (0, 1) and S = 0: the signature that holds for every message under such a key.
    const signature = toBase64url(concat(smallOrderKey, new Uint8Array(32)))
    const dpop = `${part({ typ: 'dpop+jwt', alg: 'EdDSA', jwk })}.${part(claims)}.${signature}`
    const reply = await fetch(`${stage.city.url}/oauth/token`, {
      method: 'POST',
      headers: { dpop },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: stage.adviser.did,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertionOf(stage.adviser),
        resource: stage.city.url,
      }),
    })
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({
      error: 'invalid_dpop_proof',
      error_description: 'The Ed25519 key is a point of small order',
    })
  })

  test.each([
    ['application/xml', 'unsupported-media-type'],
    ['application/json', 'body-too-large'],
  ])('a body of 100 MB as %s', async (type, code) => {
    const before = await storedRows()
    const reply = await fetch(`${stage.city.url}/dids`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: Buffer.alloc(100 * 1024 * 1024, 'x'),
    }).catch((error: Error) => error)
    // The server may hang up on whoever goes on sending; when it answers, it says why.
    if (reply instanceof Response) expect(await reply.json()).toMatchObject({ code })
    else expect(reply.message).toBe('fetch failed')
    expect(await storedRows()).toEqual(before)
  })

  test.each([
    ['did:', 400, 'invalidDid'],
    ['did:webvh:only', 400, 'invalidDid'],
    ['did:webvh:QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG:127.0.0.1:x', 400, 'invalidDid'],
    ['did:webvh:QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG:localhost:..:x', 400, 'invalidDid'],
    ['did:key:z6MkNotAKey', 400, 'invalidDid'],
    ['did:nobody:1', 501, 'methodNotSupported'],
  ])('the DID %s resolves to status %d', async (did, status, error) => {
    const reply = await fetch(`${stage.city.url}/1.0/identifiers/${encodeURIComponent(did)}`, {
      headers: { accept: 'application/did-resolution' },
    })
    expect(reply.status).toBe(status)
    const { didResolutionMetadata } = (await reply.json()) as {
      didResolutionMetadata: { error: string | { type: string } }
    }
    expect(JSON.stringify(didResolutionMetadata.error)).toMatch(new RegExp(error, 'i'))
  })

  test.each([
    ['no token', {}, 'missing-token'],
    ['a token that is no JWT', { authorization: 'DPoP x.y', dpop: 'a.b.c' }, 'invalid-token'],
    ['a token with alg none', { authorization: `DPoP ${unsigned()}`, dpop: 'a.b.c' }, 'invalid-token'],
    ['a bearer token', { authorization: 'Bearer x.y.z' }, 'invalid-token'],
  ])('a read with %s', async (_, headers, code) => {
    const reply = await fetch(
      `${stage.city.url}/metering-points/${meteringPoint}/readings?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z`,
      { headers: headers as Record<string, string> },
    )
    expect(reply.status).toBe(401)
    expect(reply.headers.get('www-authenticate')).toMatch(/^DPoP /)
    expect(await reply.json()).toMatchObject({ code })
  })

  test('an acceptance by somebody who is not signed in, and a delegation nobody gave', async () => {
    const wallet = await stage.newWallet()
    const asked = await stage
      .as(stage.adviser)
      .post<Parameters<typeof createAcceptance>[0]>('/permission-requests', scope({}))
    const statement = await createAcceptance(asked, asked.requested_scope, {
      signer: wallet,
      now: new Date(),
      notice: { version: '1', locale: 'en' },
    })
    await refusedWith('role-required', () =>
      stage.as(stage.adviser).post(`/permissions/${asked.id}/acceptance`, { statement }),
    )
    await refusedWith('invalid-delegation', () =>
      stage.as(stage.adviser).post('/delegations', { chain: [statement, statement] }),
    )
  })

  test('JSON that two parsers read differently', async () => {
    const token = canonicalJson(scope({})).replace('"scope":{', '"scope":{"actions":["read"],')
    const reply = await fetch(`${stage.city.url}/dids`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: token,
    })
    expect(await reply.json()).toMatchObject({ code: 'invalid-json' })
  })
})

function unsigned(): string {
  const part = (value: object) => toBase64url(Buffer.from(JSON.stringify(value)))
  return `${part({ typ: 'at+jwt', alg: 'none', kid: 'x' })}.${part({ sub: 'x' })}.${toBase64url(randomBytes(64))}`
}

/** RFC 7523, as `connectCity` makes it. */
function assertionOf({ did, keyId, signer }: Identity): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: did,
    sub: did,
    aud: `${stage.city.url}/oauth`,
    jti: randomBytes(16).toString('hex'),
    iat,
    exp: iat + 60,
  }
  return signJws({ typ: 'JWT', kid: keyId }, claims, signer)
}
