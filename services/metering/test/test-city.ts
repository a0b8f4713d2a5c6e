import { createHash, randomBytes } from 'node:crypto'
import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { problemOfDatabaseError, type TestDatabase, testDatabase } from '@tillit/database'
import { didKeyDocument, didKeyFor } from '@tillit/did'
import { createLogger, createServer, createTestIssuer, type TestCaller, type TillitServer } from '@tillit/http'
import { type Signer, signerFromSeed, signJws, toMultikey } from '@tillit/keys'
import { gsrnCheckDigit } from '@tillit/metering'
import type { BatchClaims, DidResolutionResult, Reading, Scope } from '@tillit/schemas'
import { baseScope } from '../../../packages/policy/src/base-scope.fixture.ts'
import { createMetering, type MeteringTables } from '../src/index.ts'
import { addParty, standInViews } from './stand-in-views.ts'

export const utility: TestCaller = { kind: 'organisation', id: 'did:web:grid.example' }
export const otherUtility: TestCaller = { kind: 'organisation', id: 'did:web:other-grid.example' }
export const adviser: TestCaller = { kind: 'organisation', id: 'did:web:adviser.example' }
export const stranger: TestCaller = { kind: 'organisation', id: 'did:web:stranger.example' }
export const alice: TestCaller = { kind: 'customer', id: `cust_${'A'.repeat(22)}` }
export const bob: TestCaller = { kind: 'customer', id: `cust_${'B'.repeat(22)}` }

const publicUrl = 'http://tillit.test'

export interface Answered {
  status: number
  body: Record<string, unknown> & { code?: string; id?: string }
  text: string
  headers: Record<string, unknown>
}

export type TestCity = Awaited<ReturnType<typeof testCity>>

/** The metering service behind the real HTTP layer, with real tokens, on a database of its own. */
export async function testCity(options: { handOverMilliseconds?: number; before?: (app: TillitServer) => void } = {}) {
  let now = new Date('2026-06-15T12:00:00Z')
  const database = await testDatabase()
  await standInViews(database.url)
  for (const { id } of [utility, otherUtility]) await addParty(database.url, id, ['utility'])
  for (const { id } of [adviser, stranger]) await addParty(database.url, id, ['eligible_party'])
  const db = database.connect<MeteringTables>('metering')
  const documents = new Map<string, DidResolutionResult['didDocument']>()
  /** What the hosts of foreign DIDs have now, where that is not what is remembered of them. */
  const freshDocuments = new Map<string, DidResolutionResult['didDocument']>()
  const metering = createMetering({
    db,
    now: () => now,
    randomBytes: (length) => randomBytes(length),
    resolveDid: async (did, { fresh = false } = {}) => ({
      didDocument: (fresh ? freshDocuments.get(did) : undefined) ?? documents.get(did) ?? null,
      didResolutionMetadata: documents.has(did) ? {} : { error: 'notFound' },
      didDocumentMetadata: {},
    }),
    issueCredential: async ({ type, holder }) => ({ credential: `${type} for ${holder.did}` }),
    ...(options.handOverMilliseconds === undefined ? {} : { handOverMilliseconds: options.handOverMilliseconds }),
  })
  const issuer = await createTestIssuer(publicUrl, () => now)
  const app = await createServer({
    logger: createLogger('silent'),
    publicUrl,
    authentication: { issuer: issuer.issuer, audience: publicUrl, jwks: issuer.jwks, now: () => now },
    problemOf: problemOfDatabaseError,
    readiness: [],
    newRequestId: () => randomBytes(8).toString('hex'),
  })
  options.before?.(app)
  await app.register(metering.routes)
  await app.ready()

  async function call(
    caller: TestCaller,
    method: 'GET' | 'POST',
    url: string,
    body?: unknown,
    accept?: string,
  ): Promise<Answered> {
    const headers = await issuer.headers(caller, method, url)
    const reply = await app.inject({
      method,
      url,
      headers: { ...headers, ...(accept === undefined ? {} : { accept }) },
      ...(body === undefined ? {} : { payload: body as object }),
    })
    const json = String(reply.headers['content-type']).includes('json')
    return { status: reply.statusCode, body: json ? reply.json() : {}, text: reply.body, headers: reply.headers }
  }

  let numbers = 0
  return {
    app,
    db,
    database: database as TestDatabase,
    issuer,
    documents,
    freshDocuments,
    call,
    setNow: (text: string) => {
      now = new Date(text)
    },
    /** A point of the utility with a customer who holds it. */
    async point({ zone = 'Europe/Oslo', customer = alice.id, from = '2024-01-01T00:00:00Z' } = {}) {
      const gsrn = newGsrn(++numbers)
      const { body } = await call(utility, 'POST', '/metering-points', { gsrn, grid_area: 'NO1', time_zone: zone })
      const id = String(body.id)
      await call(utility, 'POST', `/metering-points/${id}/entitlements`, { customer, role: 'holder', from })
      return { id, gsrn }
    },
    async device(pointId: string): Promise<TestDevice> {
      const signer = await signerFromSeed(createHash('sha256').update(`device ${++numbers}`).digest())
      const did = didKeyFor(signer.publicKey)
      documents.set(did, didKeyDocument(toMultikey(signer.publicKey)) as unknown as DidResolutionResult['didDocument'])
      const enrolment = { did, metering_point: pointId, model: 'M1', serial: String(numbers) }
      const answer = await call(utility, 'POST', '/devices', enrolment)
      if (answer.status !== 201) throw new Error(answer.text)
      return { caller: { kind: 'device', id: did }, did, signer }
    },
    async upload(device: TestDevice, batch: string, as: TestCaller = device.caller): Promise<Answered> {
      return call(as, 'POST', `/devices/${encodeURIComponent(device.did)}/batches`, { batch })
    },
    importInto: (pointId: string, readings: Reading[]) =>
      call(utility, 'POST', `/metering-points/${pointId}/imports`, {
        ...{ product: 'active_energy', direction: 'consumption', unit: 'W.h', readings },
      }),
    stop: async () => {
      await app.close()
      await metering.stop()
      await database.drop()
    },
  }
}

export interface TestDevice {
  caller: TestCaller
  did: string
  signer: Signer
}

export function newGsrn(number: number): string {
  const first = `7070575${String(number).padStart(10, '0')}`
  return `${first}${gsrnCheckDigit(first)}`
}

/** Half-hours of one watt-hour each, from an instant on. */
export function halfHours(from: string, count: number, value = 1): Reading[] {
  const start = Date.parse(from)
  return Array.from({ length: count }, (_, i) => ({
    start: new Date(start + i * 1_800_000).toISOString(),
    duration_seconds: 1800,
    value,
    quality: 'measured',
  }))
}

export function batchClaims(
  device: TestDevice,
  seq: number,
  previous: string | null,
  readings: Reading[],
): BatchClaims {
  return {
    iss: device.did,
    seq,
    prv: previous === null ? null : toBase64url(sha256(utf8(previous))),
    ...{ product: 'active_energy', direction: 'consumption', unit: 'W.h', readings },
  }
}

export function signBatch(claims: BatchClaims, signer: Signer): Promise<string> {
  return signJws({ typ: 'tillit-batch+jwt' }, claims, signer)
}

export function scopeFor(gsrn: string, change: Partial<Scope> = {}): Scope {
  return { ...baseScope, resources: [`gsrn:${gsrn}`], finest_granularity: 'P1D', ...change }
}

export const permissionId = (letter: string) => `perm_${letter.repeat(22)}`
