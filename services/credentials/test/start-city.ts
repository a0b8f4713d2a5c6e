import { randomBytes, randomUUID } from 'node:crypto'
import { encodeId, idBytes } from '@tillit/codec'
import { administer, problemOfDatabaseError, type TestDatabase, testDatabase } from '@tillit/database'
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
  registrar: Identity
  authority: Identity
  utility: Identity
  clock: { now: Date }
  call(caller: TestCaller | null, method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<Answer>
  /** Has the registrar accredit an organisation; by default as a utility. */
  accredit(identity: Identity, claims?: Partial<OrganisationClaims>): Promise<Answer>
  verify(credential: string): Promise<Answer>
  /** Asks for a credential with a fresh nonce and a proof by the key. */
  request(caller: TestCaller, type: CredentialType, key: Identity, changes?: ProofChanges): Promise<Answer>
  stop(): Promise<void>
}

export interface Answer {
  status: number
  headers: Record<string, unknown>
  text: string
  body: Record<string, unknown>
}

export interface ProofChanges {
  nonce?: string
  audience?: string
  iat?: number
  header?: Record<string, unknown>
  signer?: Signer
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
export async function startCity(options: { statusListSize?: number } = {}): Promise<TestCity> {
  const database = await testDatabase()
  await standInViews(database.url)
  const clock = { now: new Date() }
  const now = () => clock.now
  const [registrar, authority, utility] = await Promise.all([newIdentity(), newIdentity(), newIdentity()])
  const hosted = [registrar, authority, utility]
  const resolver = createResolver({ webvhLog: async () => null, webvhWitness: async () => null, fetchText: null, now })
  const credentials = createCredentials({
    db: database.connect<CredentialsTables>('credentials'),
    now,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    resolveDid: async (did) => ({ ...(await resolver.resolve(did)) }),
    issuers: async (did) => hosted.find((identity) => identity.did === did) ?? null,
    publicUrl,
    authorityDid: authority.did,
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
    const headers = caller === null ? {} : await tokens.headers(caller, method, path)
    const reply = await app.inject({ method, url: path, headers, ...(body === undefined ? {} : { payload: body }) })
    const isJson = String(reply.headers['content-type'] ?? '').includes('json')
    return {
      status: reply.statusCode,
      headers: reply.headers,
      text: reply.body,
      body: isJson ? (reply.json() as Record<string, unknown>) : {},
    }
  }
  const request: TestCity['request'] = async (caller, type, key, changes = {}) => {
    const nonce = changes.nonce ?? (await call(null, 'POST', '/credentials/nonce')).body.c_nonce
    const header = { typ: 'openid4vci-proof+jwt', ...(changes.header ?? { jwk: toPublicJwk(key.signer.publicKey) }) }
    const payload = {
      aud: changes.audience ?? publicUrl,
      iat: changes.iat ?? Math.floor(clock.now.getTime() / 1000),
      nonce,
    }
    const proof = await signJws(header, payload, changes.signer ?? key.signer)
    return call(caller, 'POST', '/credentials', { credential_configuration_id: type, proofs: { jwt: [proof] } })
  }
  const city: TestCity = {
    ...{ app, credentials, database, registrar, authority, utility, clock, call, request },
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

export function credentialsIn(answer: Answer): string[] {
  return (answer.body as { credentials: { credential: string }[] }).credentials.map(({ credential }) => credential)
}

export function partyIn(answer: Answer): Party {
  return answer.body as unknown as Party
}
