import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import fastify from 'fastify'
import pg from 'pg'
import type { BenchDatabase } from './bench-database.ts'
import { type Figure, figure, median } from './figure.ts'
import { postText } from './http-text.ts'
import { type LoadClient, openLoadClient } from './load-client.ts'
import type { RegistrySizes } from './registry.ts'
import type { RegistryCity } from './registry-city.ts'
import { openDidMaker } from './registry-dids.ts'

const warmUpRounds = 1
const clients = 64
/** More were not faster. */
const bareConnections = 24

/** One new DID a request from many clients at once, beside a route that does nothing but one durable insert of the same body. */
export async function requestBench(
  database: BenchDatabase,
  city: RegistryCity,
  sizes: RegistrySizes['requests'],
): Promise<Figure[]> {
  const bare = await openBareInsert(database)
  const client = openLoadClient({ connections: clients })
  const maker = openDidMaker()
  const ours: number[] = []
  const inserts: number[] = []
  try {
    for (let round = -warmUpRounds; round < sizes.rounds; round++) {
      const dids = await maker.make(sizes.requests)
      const bodies = dids.map(({ entry }) => JSON.stringify({ entry, listed: true }))
      const registered = await created(
        client,
        city.port,
        bodies.map((body) => postText('/dids', body)),
      )
      await sequenced(database)
      const inserted = await created(
        client,
        bare.port,
        bodies.map((body) => postText('/bare', body)),
      )
      if (round < 0) continue
      ours.push(registered)
      inserts.push(inserted)
    }
  } finally {
    await client.close()
    await maker.close()
    await bare.close()
  }
  return [
    figure(
      {
        ...{ bench: 'registry', figure: `DIDs registered one a request, ${clients} clients` },
        ...{ value: median(ours), unit: 'DIDs/s' },
        reference: { what: 'a bare route: one durable insert of the same body', value: median(inserts) },
      },
      { least: 0.5 },
    ),
  ]
}

async function created(client: LoadClient, port: number, requests: readonly string[]): Promise<number> {
  const { answers, perSecond } = await client.run(port, requests)
  const refused = answers.find(({ status }) => status !== 201)
  if (refused !== undefined) throw new Error(`refused: ${refused.status} ${refused.body}`)
  return perSecond
}

/** The reference is not to pay for what the city still has to do. */
async function sequenced({ admin }: BenchDatabase): Promise<void> {
  for (;;) {
    const { rows } = await admin.query('select exists (select from registry.outbox) as waiting')
    if (!rows[0].waiting) return
    await delay(5)
  }
}

async function openBareInsert({ url, admin }: BenchDatabase): Promise<{ port: number; close(): Promise<void> }> {
  await admin.query(
    'create table public.bare_entries (id uuid primary key, at timestamptz not null, entry jsonb not null)',
  )
  const pool = new pg.Pool({ connectionString: url, max: bareConnections })
  pool.on('error', (error) => console.error(error))
  const app = fastify()
  app.post('/bare', async (request, reply) => {
    const id = randomUUID()
    await pool.query('insert into public.bare_entries (id, at, entry) values ($1, $2, $3)', [
      ...[id, new Date(), JSON.stringify(request.body)],
    ])
    return reply.code(201).send({ id })
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
