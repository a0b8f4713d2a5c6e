import { randomBytes, randomUUID } from 'node:crypto'
import { encodeId, idBytes } from '@tillit/codec'
import { administer, type Database, problemOfDatabaseError, type TestDatabase, testDatabase } from '@tillit/database'
import { createResolver, didKeyFor } from '@tillit/did'
import { createLogger, createServer, createTestIssuer, type TestCaller, type TillitServer } from '@tillit/http'
import {
  generatePrivateJwk,
  type PrivateJwk,
  type Signer,
  signerFromJwk,
  signJws,
  toMultikey,
  toPublicJwk,
} from '@tillit/keys'
import type { CredentialType, OrganisationClaims, Party } from '@tillit/schemas'
import { type Credentials, type CredentialsTables, createCredentials } from '../src/index.ts'
import { standInViews } from './stand-in-views.ts'
import { type IssuanceOptions, testIssuance } from './test-issuance.ts'

export const publicUrl = 'http://city.test'

export interface Identity {
  did: string
  keyId: string
  signer: Signer
  jwk: PrivateJwk
}

export interface TestCity {
  app: TillitServer
  credentials: Credentials
  database: TestDatabase
  db: Database<CredentialsTables>
  registrar: Identity
  authority: Identity
  utility: Identity
  clock: { now: Date }
  /** A text as body is sent as a JWT. */
  call(
    caller: TestCaller | null,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object | string,
  ): Promise<Answer>
  /** Posts bytes as they are, as whatever they are said to be. */
  callRaw(caller: TestCaller, path: string, body: { type: string; payload: string }): Promise<Answer>
  /** Has the registrar accredit an organisation; by default as a utility. */
  accredit(identity: Identity, claims?: Partial<OrganisationClaims>): Promise<Answer>
  verify(credential: string): Promise<Answer>
  /** Asks for a credential of the caller's own type with a fresh nonce and a proof by the key. */
  request(
    caller: TestCaller,
    type: CredentialType,
    key: Identity,
    proof?: { header?: Record<string, unknown> },
  ): Promise<Answer>
  stop(): Promise<void>
}

export interface Answer {
  status: number
  headers: Record<string, unknown>
  text: string
  body: Record<string, unknown>
}

export async function newIdentity(): Promise<Identity> {
  const jwk = await generatePrivateJwk()
  const signer = await signerFromJwk(jwk)
  const did = didKeyFor(signer.publicKey)
  return { did, keyId: `${did}#${toMultikey(signer.publicKey)}`, signer, jwk }
}

export const organisation = (identity: Identity): TestCaller => ({ kind: 'organisation', id: identity.did })

export function newId(prefix: string): string {
  return encodeId(prefix, randomBytes(idBytes))
}

/** The credentials service in a real server over a database of its own, with a registrar, an authority and a utility. */
export async function startCity(options: { statusListSize?: number } & IssuanceOptions = {}): Promise<TestCity> {
  const database = await testDatabase()
  await standInViews(database.url)
  const clock = { now: new Date() }
  const now = () => clock.now
  const [registrar, authority, utility] = await Promise.all([newIdentity(), newIdentity(), newIdentity()])
  const hosted = [registrar, authority, utility]
  const resolver = createResolver({ webvhLog: async () => null, webvhWitness: async () => null, fetchText: null, now })
  const db = database.connect<CredentialsTables>('credentials')
  const credentials = createCredentials({
    db,
    now,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    resolveDid: async (did) => ({ ...(await resolver.resolve(did)) }),
    issuers: async (did) => hosted.find((identity) => identity.did === did) ?? null,
    publicUrl,
    authorityDid: authority.did,
    openid4vci: await testIssuance(options),
    vcApiIssuers: [utility.did],
    onError: (error) => {
      throw error
    },
    ...options,
  })
  const tokens = await createTestIssuer(publicUrl, now)
  const app = await createServer({
    logger: createLogger('silent'),
    publicUrl,
    authentication: { issuer: tokens.issuer, audience: publicUrl, jwks: tokens.jwks, now },
    problemOf: problemOfDatabaseError,
    readiness: [],
    newRequestId: randomUUID,
  })
  await app.register(credentials.routes)
  await app.ready()
  await credentials.bootstrapRoot({
    did: registrar.did,
    legalName: 'City of Nordvik',
    registrationNumber: '111222333',
    country: 'NO',
  })

  const call: TestCity['call'] = async (caller, method, path, body) => {
    const headers = {
      ...(caller === null ? {} : await tokens.headers(caller, method, path)),
      ...(typeof body === 'string' ? { 'content-type': 'application/jwt' } : {}),
    }
    return answerOf(await app.inject({ method, url: path, headers, ...(body === undefined ? {} : { payload: body }) }))
  }
  const callRaw: TestCity['callRaw'] = async (caller, path, { type, payload }) => {
    const headers = { ...(await tokens.headers(caller, 'POST', path)), 'content-type': type }
    return answerOf(await app.inject({ method: 'POST', url: path, headers, payload }))
  }
  const request: TestCity['request'] = async (caller, type, key, { header = {} } = {}) => {
    const { c_nonce: nonce } = (await call(null, 'POST', '/openid4vci/nonce')).body
    const shown = 'kid' in header ? header : { jwk: toPublicJwk(key.signer.publicKey), ...header }
    const payload = { aud: publicUrl, iat: Math.floor(clock.now.getTime() / 1000), nonce }
    const jwt = [await signJws({ typ: 'openid4vci-proof+jwt', ...shown }, payload, key.signer)]
    const body = { credential_configuration_id: type, proofs: { jwt } }
    return call(caller, 'POST', '/openid4vci/credential', body)
  }
  const city: TestCity = {
    ...{ app, credentials, database, db, registrar, authority, utility, clock, call, callRaw, request },
    accredit: (identity, claims = {}) =>
      call(organisation(registrar), 'POST', '/trust/accreditations', {
        did: identity.did,
        claims: {
          legal_name: 'Nordvik Nett AS',
          registration_number: '999888777',
          country: 'NO',
          roles: ['utility'],
          purposes: [],
          ...claims,
        },
      }),
    verify: (credential) => call(null, 'POST', '/credentials/verify', { credential }),
    stop: async () => {
      await credentials.stop()
      await app.close()
      await database.drop()
    },
  }
  return city
}

type Reply = Awaited<ReturnType<TillitServer['inject']>>

function answerOf(reply: Reply): Answer {
  const isJson = String(reply.headers['content-type'] ?? '').includes('json')
  return {
    status: reply.statusCode,
    headers: reply.headers,
    text: reply.body,
    body: isJson ? (reply.json() as Record<string, unknown>) : {},
  }
}

/** A metering point of the utility, held by a new customer. */
export async function addHolder(city: TestCity, utility: Identity): Promise<{ customer: TestCaller; point: string }> {
  const point = newId('mp')
  const customer = { kind: 'customer', id: newId('cust') } as const
  await administer(
    city.database.url,
    `insert into metering.metering_point_v1 (id, gsrn, utility_did, time_zone)
     values ('${point}', '707057500000000001', '${utility.did}', 'Europe/Oslo')`,
  )
  await administer(
    city.database.url,
    `insert into metering.entitlement_v1 (metering_point_id, customer_id, role, valid_from)
     values ('${point}', '${customer.id}', 'holder', '2025-01-01T00:00:00Z')`,
  )
  return { customer, point }
}

export async function addDevice(city: TestCity, device: Identity, point: string): Promise<void> {
  await administer(
    city.database.url,
    `insert into metering.device_v1 (did, metering_point_id, status) values ('${device.did}', '${point}', 'ACTIVE')`,
  )
}

/** The id under which the city knows a credential: not every type shows it in the open. */
export async function idOf(city: TestCity, credential: string): Promise<string> {
  const [, payload = ''] = credential.split('.')
  const { status } = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const { uri, idx } = status.status_list
  const row = await city.db
    .selectFrom('credentials.issued_credentials')
    .select('id')
    .where('status_list_id', '=', Number(String(uri).split('/').at(-1)))
    .where('status_index', '=', idx)
    .executeTakeFirstOrThrow()
  return row.id
}

export function credentialsIn({ status, text, body }: Answer): string[] {
  if (status !== 200) throw new Error(`no credentials but ${status}: ${text}`)
  return (body as { credentials: { credential: string }[] }).credentials.map(({ credential }) => credential)
}

export function partyIn(answer: Answer): Party {
  return answer.body as unknown as Party
}
