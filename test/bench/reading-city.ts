import { randomBytes, randomUUID } from 'node:crypto'
import { encodeId, idBytes } from '@tillit/codec'
import { connect, problemOfDatabaseError } from '@tillit/database'
import { didKeyFor } from '@tillit/did'
import { createLogger, createServer } from '@tillit/http'
import { type Signer, signerFromSeed, signJws, thumbprint, toPublicJwk } from '@tillit/keys'
import { delegationType, rootClaims } from '@tillit/policy'
import { type Scope, scopeType } from '@tillit/schemas'
import { createMetering, type MeteringTables } from '@tillit/service-metering'
import type { BenchDatabase } from './bench-database.ts'
import { fillReadings, meteringPoints } from './readings-fill.ts'

export interface ReadingCity {
  port: number
  publicUrl: string
  /** Who reads, with the key that its token is bound to. */
  readerDid: string
  readerKey: Signer
  issuerKey: Signer
  close(): Promise<void>
}

/** As many as the pool of the city has for this service. */
export const maxConnections = 24

const began = new Date('2024-01-01T00:00:00Z')
const ends = new Date('2100-01-01T00:00:00Z')

/**
 * The metering service as it runs in a city, behind the same HTTP layer and on the views that the other services publish, with real
 * rows below them. What a city does besides (its log, its ledger, its other services) does not run here.
 */
export async function openReadingCity(database: BenchDatabase): Promise<ReadingCity> {
  const readerKey = await signerFromSeed(new Uint8Array(32).fill(7))
  const issuerKey = await signerFromSeed(new Uint8Array(32).fill(8))
  const readerDid = didKeyFor(readerKey.publicKey)
  await fillReadings(database.admin)
  await permitEverything(database, readerDid, readerKey)
  const db = connect<MeteringTables>({
    url: database.url,
    schema: 'metering',
    maxConnections,
    onError: () => undefined,
  })
  const metering = createMetering({
    db,
    now: () => new Date(),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    resolveDid: () => Promise.reject(new Error('no DID is resolved in a read')),
    issueCredential: () => Promise.reject(new Error('no credential is issued in a read')),
  })
  const publicUrl = 'http://bench.tillit.example'
  const app = await createServer({
    logger: createLogger('warn'),
    publicUrl,
    authentication: {
      issuer: `${publicUrl}/oauth`,
      audience: publicUrl,
      jwks: () => ({ keys: [{ ...toPublicJwk(issuerKey.publicKey), kid: 'bench' }] }),
      now: () => new Date(),
    },
    problemOf: problemOfDatabaseError,
    readiness: [],
    newRequestId: randomUUID,
  })
  await app.register(metering.routes)
  const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  return {
    ...{ port: Number(address.port), publicUrl, readerDid, readerKey, issuerKey },
    close: async () => {
      await app.close()
      await db.destroy()
    },
  }
}

async function permitEverything({ admin }: BenchDatabase, readerDid: string, readerKey: Signer): Promise<void> {
  await admin.query(
    `insert into credentials.parties (did, name, registration_number, country, roles, purposes, status, changed_at)
     values ($1, 'Reader', '1', 'NO', '{eligible_party}', '{energy-advice}', 'ACTIVE', now())`,
    [readerDid],
  )
  const partyKey = thumbprint(readerKey.publicKey)
  for (const { id, gsrn, customer } of meteringPoints) {
    const wallet = await signerFromSeed(randomBytes(32))
    const permission = encodeId('perm', new Uint8Array(randomBytes(idBytes)))
    const scope = hourlyScope(gsrn)
    const customerDid = didKeyFor(wallet.publicKey)
    const claims = rootClaims({
      ...{ customerDid, partyDid: readerDid, permissionId: permission, partyKey, scope, now: new Date() },
    })
    const statement = await signJws({ typ: delegationType, jwk: toPublicJwk(wallet.publicKey) }, claims, wallet)
    await admin.query(
      `insert into metering.entitlements (metering_point_id, customer_id, role, valid_from) values ($1, $2, 'holder', $3)`,
      [id, customer, began],
    )
    await admin.query(
      `insert into permissions.permissions (id, state, party_did, party_name, party_key, gsrn, requested_scope,
         requested_scope_digest, metering_point_id, customer_id, scope, root_statement, expires_at, times_out_at, created_at, changed_at)
       values ($1, 'ACTIVE', $2, 'Reader', $3, $4, $5, repeat('0', 64), $6, $7, $5, $8, $9, $9, now(), now())`,
      [permission, readerDid, partyKey, gsrn, JSON.stringify(scope), id, customer, statement, ends],
    )
  }
  await admin.query('vacuum analyze')
}

function hourlyScope(gsrn: string): Scope {
  return {
    type: scopeType,
    actions: ['read'],
    datatypes: ['validated_history'],
    resources: [`gsrn:${gsrn}`],
    products: ['active_energy'],
    directions: ['consumption'],
    period: { from: began.toISOString(), to: ends.toISOString() },
    finest_granularity: 'PT1H',
    subject_form: 'identified',
    delivery: ['pull'],
    purpose: [{ code: 'energy-advice', required: true }],
    legal_basis: 'eu-gdpr:A6-1-a',
    eprivacy_basis: null,
    expires: ends.toISOString(),
    delete_after: 'P30D',
    delegation: { max_depth: 1, recipients: ['did:web:cloud.example'] },
    countries: ['NO'],
    data_need: null,
  }
}
