import { randomBytes } from 'node:crypto'
import { encodeId, idBytes } from '@tillit/codec'
import { problemOfDatabaseError, type TestDatabase, testDatabase } from '@tillit/database'
import { didKeyDocument, didKeyFor } from '@tillit/did'
import { createLogger, createServer, createTestIssuer, type TestCaller, type TillitServer } from '@tillit/http'
import { generatePrivateJwk, type Signer, signerFromJwk, signJws, toPublicJwk } from '@tillit/keys'
import { delegationType, rootClaims, scopeDigest } from '@tillit/policy'
import { type DelegationClaims, type Permission, type Scope, scopeType } from '@tillit/schemas'
import { createPermissions, type Permissions, type PermissionsTables } from './index.ts'

export const authorityDid = 'did:web:city.example'
const publicUrl = 'http://tillit.test'

export interface Actor {
  did: string
  signer: Signer
}

export interface City {
  app: TillitServer
  database: TestDatabase
  db: ReturnType<typeof connectOwn>
  service: Permissions
  /** The clock of the city, in the hands of the test. */
  clock: { now: Date }
  authority: Actor
  utility: Actor
  adviser: Actor
  processor: Actor
  laboratory: Actor
  customer: { id: string; wallet: Actor }
  neighbour: { id: string; wallet: Actor }
  /** The customer's metering point. */
  gsrn: string
  meteringPoint: string
  /** What shows who asks, for one request that is written by hand. */
  headersOf(caller: TestCaller, method: string, path: string): Promise<Record<string, string>>
  call(
    caller: TestCaller,
    method: 'GET' | 'POST',
    path: string,
    options?: { body?: object; headers?: Record<string, string> },
  ): Promise<{ status: number; body: Record<string, unknown> }>
  close(): Promise<void>
}

interface OthersTables {
  'credentials.parties': Record<string, unknown>
  'metering.metering_points': Record<string, unknown>
  'metering.entitlements': Record<string, unknown>
}

/** A small city on a real database behind the real authentication: three eligible parties, two customers, one metering point. */
export async function buildCity(): Promise<City> {
  const database = await testDatabase()
  const clock = { now: new Date('2026-03-01T12:00:00Z') }
  const db = connectOwn(database)
  const authority = await actor()
  const service = createPermissions({
    db,
    now: () => clock.now,
    randomBytes: (length) => randomBytes(length),
    resolveDid: async (did) => ({
      didDocument: { ...didKeyDocument(did.slice('did:key:'.length)) },
      didResolutionMetadata: {},
      didDocumentMetadata: {},
    }),
    issueCredential: async ({ type, holder, claims }) => ({
      credential: await signJws(
        { typ: 'dc+sd-jwt' },
        { ...claims, vct: type, cnf: { jwk: holder.jwk } },
        authority.signer,
      ),
    }),
    authorityDid,
    signAsAuthority: (typ, claims) => signJws({ typ, kid: `${authorityDid}#key` }, claims, authority.signer),
    publicUrl,
    logger: createLogger('silent'),
  })
  const issuer = await createTestIssuer(publicUrl, () => clock.now)
  let requests = 0
  const app = await createServer({
    logger: createLogger('silent'),
    publicUrl,
    authentication: { issuer: issuer.issuer, audience: publicUrl, jwks: issuer.jwks, now: () => clock.now },
    problemOf: problemOfDatabaseError,
    readiness: [],
    newRequestId: () => `request-${++requests}`,
  })
  await app.register(service.routes)
  const [utility, adviser, processor, laboratory] = [await actor(), await actor(), await actor(), await actor()]
  const customer = { id: encodeId('cust', randomBytes(idBytes)), wallet: await actor() }
  const neighbour = { id: encodeId('cust', randomBytes(idBytes)), wallet: await actor() }
  const city: City = {
    app,
    database,
    db,
    service,
    clock,
    authority,
    utility,
    adviser,
    processor,
    laboratory,
    customer,
    neighbour,
    gsrn: '707057500000000001',
    meteringPoint: encodeId('mp', randomBytes(idBytes)),
    headersOf: (...about) => issuer.headers(...about),
    async call(caller, method, path, { body, headers = {} } = {}) {
      const authentication = await issuer.headers(caller, method, path)
      const reply = await app.inject({
        method,
        url: path,
        headers: { ...headers, ...authentication },
        ...(body === undefined ? {} : { payload: body }),
      })
      return { status: reply.statusCode, body: reply.json() }
    },
    close: async () => {
      await app.close()
      await database.drop()
    },
  }
  await populate(city)
  return city
}

export async function actor(): Promise<Actor> {
  const signer = await signerFromJwk(await generatePrivateJwk())
  return { did: didKeyFor(signer.publicKey), signer }
}

export const asOrganisation = ({ did }: Actor): TestCaller => ({ kind: 'organisation', id: did })
export const asCustomer = ({ id }: { id: string }): TestCaller => ({ kind: 'customer', id })

/** A year of hourly values for energy advice and, if the customer likes, for research at the same party. */
export function scopeOf(city: City, change: Partial<Scope> = {}): Scope {
  return {
    type: scopeType,
    actions: ['read'],
    datatypes: ['validated_history'],
    resources: [`gsrn:${city.gsrn}`],
    products: ['active_energy'],
    directions: ['consumption'],
    period: { from: '2025-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' },
    finest_granularity: 'PT1H',
    subject_form: 'identified',
    delivery: ['pull'],
    purpose: [
      { code: 'efficiency-verification', required: false },
      { code: 'energy-advice', required: true },
    ],
    legal_basis: 'eu-gdpr:A6-1-a',
    eprivacy_basis: null,
    expires: '2027-01-01T00:00:00Z',
    delete_after: 'P30D',
    delegation: { max_depth: 2, recipients: [city.processor.did, city.laboratory.did] },
    countries: ['NO'],
    data_need: null,
    ...change,
  }
}

export async function ask(city: City, change: Partial<Scope> = {}): Promise<Permission> {
  const body = { scope: scopeOf(city, change) }
  return (await city.call(asOrganisation(city.adviser), 'POST', '/permission-requests', { body }))
    .body as unknown as Permission
}

export function acceptanceClaims(city: City, permission: Permission, change: Partial<Scope> = {}): DelegationClaims {
  const scope = { ...permission.requested_scope, ...change }
  return rootClaims({
    customerDid: city.customer.wallet.did,
    partyDid: permission.party.did,
    permissionId: permission.id,
    partyKey: permission.party_key,
    scope,
    now: city.clock.now,
    notice: { version: '1', locale: 'nb', scope_digest: scopeDigest(scope) },
  })
}

export function sign(typ: string, claims: object, by: Actor, withKey = false): Promise<string> {
  return signJws(withKey ? { typ, jwk: toPublicJwk(by.signer.publicKey) } : { typ }, claims, by.signer)
}

export async function accept(city: City, permission: Permission, change: Partial<Scope> = {}): Promise<string> {
  return sign(delegationType, acceptanceClaims(city, permission, change), city.customer.wallet)
}

/** A fresh rejection or revocation by the customer. */
export function answer(
  city: City,
  permission: string,
  action: 'reject' | 'revoke',
  change: object = {},
): Promise<string> {
  const claims = {
    iss: city.customer.wallet.did,
    aud: authorityDid,
    iat: Math.floor(city.clock.now.getTime() / 1000),
    jti: randomBytes(16).toString('base64url'),
    permission,
    action,
    ...change,
  }
  return sign('tillit-statement+jwt', claims, city.customer.wallet)
}

/** Asked, accepted and in force. */
export async function active(
  city: City,
  change: Partial<Scope> = {},
): Promise<{ permission: Permission; root: string }> {
  const permission = await ask(city)
  const root = await accept(city, permission, change)
  const body = { statement: root }
  const path = `/permissions/${permission.id}/acceptance`
  const reply = await city.call(asCustomer(city.customer), 'POST', path, { body })
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body))
  return { permission: reply.body.permission as Permission, root }
}

export function bindingClaims(city: City, customer: { id: string; wallet: Actor }): object {
  return {
    iss: customer.wallet.did,
    sub: customer.id,
    aud: authorityDid,
    iat: Math.floor(city.clock.now.getTime() / 1000),
    jti: randomBytes(16).toString('base64url'),
  }
}

export async function bind(city: City, customer: { id: string; wallet: Actor }) {
  const statement = await sign('tillit-key-binding+jwt', bindingClaims(city, customer), customer.wallet, true)
  return city.call(asCustomer(customer), 'POST', '/wallet/keys', { body: { statement } })
}

function connectOwn(database: TestDatabase) {
  return database.connect<PermissionsTables>('permissions')
}

async function populate(city: City): Promise<void> {
  const credentials = city.database.connect<OthersTables>('credentials')
  const party = (one: Actor, name: string, role: string, purposes: string[]) => ({
    did: one.did,
    name,
    registration_number: name,
    country: 'NO',
    roles: [role],
    purposes,
    status: 'ACTIVE',
    changed_at: city.clock.now,
  })
  await credentials
    .insertInto('credentials.parties')
    .values([
      party(city.utility, 'Lysnett', 'utility', []),
      party(city.adviser, 'Sparekraft', 'eligible_party', ['energy-reporting', 'marketing']),
      party(city.processor, 'Skyen', 'eligible_party', ['energy-reporting']),
      party(city.laboratory, 'Lab', 'eligible_party', ['research']),
    ])
    .execute()
  const metering = city.database.connect<OthersTables>('metering')
  const point = { id: city.meteringPoint, gsrn: city.gsrn, grid_area: 'NO1', time_zone: 'Europe/Oslo' }
  await metering
    .insertInto('metering.metering_points')
    .values({ ...point, utility_did: city.utility.did, created_at: city.clock.now })
    .execute()
  const entitlement = { metering_point_id: city.meteringPoint, customer_id: city.customer.id, role: 'holder' }
  await metering
    .insertInto('metering.entitlements')
    .values({ ...entitlement, valid_from: new Date('2025-01-01T00:00:00Z'), valid_to: null })
    .execute()
  for (const customer of [city.customer, city.neighbour]) {
    const reply = await bind(city, customer)
    if (reply.status !== 201) throw new Error(JSON.stringify(reply.body))
  }
}
