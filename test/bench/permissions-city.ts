import { randomBytes, randomUUID } from 'node:crypto'
import { encodeId, idBytes } from '@tillit/codec'
import { connect, problemOfDatabaseError } from '@tillit/database'
import { didKeyFor } from '@tillit/did'
import { createLogger, createServer, type TillitServer } from '@tillit/http'
import { type Signer, signerFromSeed, toPublicJwk } from '@tillit/keys'
import { gsrnCheckDigit } from '@tillit/metering'
import { type Scope, scopeType } from '@tillit/schemas'
import { createPermissions, type PermissionsTables } from '@tillit/service-permissions'
import fastify from 'fastify'
import pg from 'pg'
import type { BenchDatabase } from './bench-database.ts'

export interface PermissionsCity {
  port: number
  /** A route that runs one indexed query, and nothing else. */
  barePort: number
  publicUrl: string
  /** Who asks about itself, with the key that its token is bound to. */
  partyDid: string
  partyKey: Signer
  issuerKey: Signer
  /** Every second one is permitted to the party, the others have ended. */
  points: string[]
  close(): Promise<void>
}

const maxConnections = 16
const pointCount = 1_000
const ends = new Date('2100-01-01T00:00:00Z')
/** The same lookup that an evaluation begins with. */
const bareQuery = `select id, state from permissions.permissions where metering_point_id = $1 and party_did = $2 and scope is not null`

/** The permissions service as it runs in a city, behind the same HTTP layer, and beside it the bare route on the same database. */
export async function openPermissionsCity(database: BenchDatabase): Promise<PermissionsCity> {
  const partyKey = await signerFromSeed(new Uint8Array(32).fill(7))
  const issuerKey = await signerFromSeed(new Uint8Array(32).fill(8))
  const partyDid = didKeyFor(partyKey.publicKey)
  const points = await fill(database, partyDid)
  const publicUrl = 'http://bench.tillit.example'
  const db = connect<PermissionsTables>({
    url: database.url,
    schema: 'permissions',
    maxConnections,
    onError: () => undefined,
  })
  const absent = () => Promise.reject(new Error('an evaluation needs none of this'))
  const permissions = createPermissions({
    ...{ db, publicUrl, authorityDid: 'did:web:city.example', resolveDid: absent, issueCredential: absent },
    ...{ signAsAuthority: absent, logger: createLogger('warn'), now: () => new Date() },
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
  })
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
  await app.register(permissions.routes)
  const pool = new pg.Pool({ connectionString: database.url, max: maxConnections })
  pool.on('error', (error) => console.error(error))
  addAuthenticatedRoute(app, pool)
  const bare = bareServer(pool)
  const [address, bareAddress] = [await listen(app), await listen(bare)]
  return {
    ...{ port: address, barePort: bareAddress, publicUrl, partyDid, partyKey, issuerKey, points },
    close: async () => {
      await app.close()
      await bare.close()
      await db.destroy()
      await pool.end()
    },
  }
}

interface Asked {
  Body: { subject: { id: string }; resource: { id: string } }
}

function bareServer(pool: pg.Pool) {
  const app = fastify()
  app.post<Asked>('/bare', async ({ body }) => ({ decision: await isActive(pool, body) }))
  return app
}

/** The bare route behind the authentication that every route of the city has. */
function addAuthenticatedRoute(app: TillitServer, pool: pg.Pool): void {
  app.post<Asked>('/authenticated', { config: { callers: ['organisation'] } }, async ({ body }) => ({
    decision: await isActive(pool, body),
  }))
}

async function isActive(pool: pg.Pool, { subject, resource }: Asked['Body']): Promise<boolean> {
  const { rows } = await pool.query({ name: 'bare', text: bareQuery, values: [resource.id, subject.id] })
  return rows.some(({ state }) => state === 'ACTIVE')
}

async function listen(app: { listen(options: { host: string; port: number }): Promise<string> }): Promise<number> {
  return Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
}

async function fill({ admin }: BenchDatabase, partyDid: string): Promise<string[]> {
  await admin.query(
    `insert into credentials.parties (did, name, registration_number, country, roles, purposes, status, changed_at)
     values ($1, 'Party', '1', 'NO', '{eligible_party}', '{energy-advice}', 'ACTIVE', now())`,
    [partyDid],
  )
  const opaque = (prefix: string) => encodeId(prefix, new Uint8Array(randomBytes(idBytes)))
  const points = Array.from({ length: pointCount }, (_, i) => {
    const digits = `7070575${String(i).padStart(10, '0')}`
    const gsrn = `${digits}${gsrnCheckDigit(digits)}`
    const state = i % 2 === 0 ? 'ACTIVE' : 'REVOKED'
    return {
      point: opaque('mp'),
      customer: opaque('cust'),
      permission: opaque('perm'),
      gsrn,
      state,
      scope: scopeOf(gsrn),
    }
  })
  const rows = JSON.stringify(points)
  const recordset = `jsonb_to_recordset($1::jsonb) as r(point text, customer text, permission text, gsrn text, state text, scope jsonb)`
  await admin.query(
    `insert into metering.metering_points (id, gsrn, grid_area, time_zone, utility_did, created_at)
     select point, gsrn, 'NO1', 'UTC', 'did:web:grid.example', now() from ${recordset}`,
    [rows],
  )
  await admin.query(
    `insert into metering.entitlements (metering_point_id, customer_id, role, valid_from)
     select point, customer, 'holder', '2024-01-01T00:00:00Z' from ${recordset}`,
    [rows],
  )
  await admin.query(
    `insert into permissions.permissions (id, state, party_did, party_name, party_key, gsrn, requested_scope,
       requested_scope_digest, metering_point_id, customer_id, scope, root_statement, expires_at, times_out_at, created_at, changed_at)
     select permission, state, $2, 'Party', repeat('k', 43), gsrn, scope, repeat('0', 64), point, customer, scope,
            repeat('root', 400), $3, $3, now(), now() from ${recordset}`,
    [rows, partyDid, ends],
  )
  await admin.query('vacuum analyze')
  return points.map(({ point }) => point)
}

function scopeOf(gsrn: string): Scope {
  return {
    ...{ type: scopeType, actions: ['read'], datatypes: ['validated_history'], resources: [`gsrn:${gsrn}`] },
    ...{ products: ['active_energy'], directions: ['consumption'], finest_granularity: 'PT1H', delivery: ['pull'] },
    ...{ period: { from: '2024-01-01T00:00:00Z', to: ends.toISOString() }, subject_form: 'identified' },
    ...{ purpose: [{ code: 'energy-advice', required: true }], legal_basis: 'eu-gdpr:A6-1-a', eprivacy_basis: null },
    ...{ expires: ends.toISOString(), delete_after: 'P30D', countries: ['NO'], data_need: null },
    delegation: { max_depth: 1, recipients: ['did:web:cloud.example'] },
  }
}
