import { createPublicKey, randomUUID, verify } from 'node:crypto'
import type { PublicJwk } from '@tillit/schemas'
import fastify from 'fastify'
import pg from 'pg'
import type { BenchDatabase } from './bench-database.ts'
import { maxConnections } from './reading-city.ts'

export interface BareRoutes {
  port: number
  close(): Promise<void>
}

interface Asked {
  Params: { id: string }
  Querystring: { from: string; to: string }
}

/** What the metering service asks for the values themselves. */
const readingsQuery = `select "start", "duration_seconds", "value_milli", "quality" from "metering"."readings"
  where "metering_point_id" = $1 and "product" = 'active_energy' and "direction" = 'consumption'
    and "start" >= $2 and "start" < $3 order by "start"`
const hourMilliseconds = 3_600_000

/**
 * What a service without trust would do, on the same database: `/bare/:id` queries and sums to hours; `/signed/:id` also verifies one
 * Ed25519 signature over the URL and inserts one row about the read, durably, before it answers.
 */
export async function openBareRoutes({ url, admin }: BenchDatabase, readerJwk: PublicJwk): Promise<BareRoutes> {
  await admin.query(
    'create table public.bare_reads (id uuid primary key, at timestamptz not null, metering_point_id text not null, entry jsonb not null)',
  )
  const pool = new pg.Pool({ connectionString: url, max: maxConnections })
  pool.on('error', (error) => console.error(error))
  const key = createPublicKey({ key: { ...readerJwk }, format: 'jwk' })
  const app = fastify()
  const read = async ({
    params: { id },
    query: { from, to },
  }: {
    params: Asked['Params']
    query: Asked['Querystring']
  }) => hourly((await pool.query<Row>(readingsQuery, [id, from, to])).rows)
  app.get<Asked>('/bare/:id', async (request) => ({ readings: await read(request) }))
  app.get<Asked>('/signed/:id', async (request, reply) => {
    const signature = Buffer.from(String(request.headers.signature), 'base64url')
    if (!verify(null, Buffer.from(request.url), key, signature)) return reply.code(401).send()
    const readings = await read(request)
    const entry = { ...request.params, ...request.query, values: readings.length }
    await pool.query('insert into public.bare_reads (id, at, metering_point_id, entry) values ($1, $2, $3, $4)', [
      ...[randomUUID(), new Date(), request.params.id, JSON.stringify(entry)],
    ])
    return { readings }
  })
  const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  return {
    port: Number(address.port),
    close: async () => {
      await app.close()
      await pool.end()
    },
  }
}

interface Row {
  start: Date
  value_milli: string
}

function hourly(rows: Row[]): { start: Date; value: number }[] {
  const hours: { start: Date; value: number }[] = []
  for (const { start, value_milli } of rows) {
    const last = hours.at(-1)
    const value = Number(value_milli) / 1000
    if (last && start.getTime() < last.start.getTime() + hourMilliseconds) last.value += value
    else hours.push({ start, value })
  }
  return hours
}
