import { type BenchDatabase, openBenchDatabase } from './bench-database.ts'
import { type Figure, figure, median } from './figure.ts'
import { type Answer, type LoadClient, openLoadClient } from './load-client.ts'
import { openPermissionsCity } from './permissions-city.ts'
import { type AccessRequest, prepareAccessRequests } from './permissions-requests.ts'

const rounds = 9
const leastRounds = 3
/** On a busy machine there are fewer rounds, so that the bench ends within a minute. */
const measureMilliseconds = 30_000
const warmUpRounds = 1
const requestsPerRound = 500
const batchesPerRound = 50
const batchSize = 100
const connections = 8

/** Evaluations of AuthZEN over HTTP, with PostgreSQL behind them, beside bare routes on the same database. */
export async function permissionsBench(): Promise<Figure[]> {
  const database = await openBenchDatabase()
  try {
    return await measure(database)
  } finally {
    await database.close()
  }
}

type Contender = 'single' | 'batch' | 'authenticated' | 'bare'

async function measure(database: BenchDatabase): Promise<Figure[]> {
  const city = await openPermissionsCity(database)
  const client = openLoadClient({ connections })
  try {
    const requests = await prepareAccessRequests(city)
    const bare = await requests.bare(requestsPerRound)
    const measured: Record<Contender, number[]> = { single: [], batch: [], authenticated: [], bare: [] }
    const end = performance.now() + measureMilliseconds
    for (let round = -warmUpRounds; round < leastRounds || (round < rounds && performance.now() < end); round++) {
      const turn: Record<Contender, number> = {
        single: await ask(client, city.port, await requests.single(requestsPerRound)),
        bare: await ask(client, city.barePort, bare),
        batch: await ask(client, city.port, await requests.batch(batchesPerRound, batchSize)),
        authenticated: await ask(client, city.port, await requests.authenticated(requestsPerRound)),
      }
      if (round < 0) continue
      for (const name of ['single', 'batch', 'authenticated', 'bare'] as const) measured[name].push(turn[name])
    }
    return figures(measured)
  } finally {
    await client.close()
    await city.close()
  }
}

/** Decisions a second. Throws unless each is as it has to be. */
async function ask(client: LoadClient, port: number, requests: readonly AccessRequest[]): Promise<number> {
  const { answers, perSecond } = await client.run(
    port,
    requests.map(({ text }) => text),
  )
  for (const [i, { expected }] of requests.entries()) check(answers[i], expected)
  return perSecond * (requests[0]?.expected.length ?? 0)
}

function check(answer: Answer | undefined, expected: boolean[]): void {
  if (answer?.status !== 200) throw new Error(`refused: ${answer?.status} ${answer?.body}`)
  const body: { decision?: boolean; evaluations?: { decision: boolean }[] } = JSON.parse(answer.body)
  const decided = (body.evaluations ?? [body]).map(({ decision }) => decision)
  if (decided.join() !== expected.join()) throw new Error(`decided ${decided} where ${expected} was expected`)
}

function figures(measured: Record<Contender, number[]>): Figure[] {
  const single = median(measured.single)
  const about = { bench: 'permissions', unit: 'decisions/s' }
  const name = `AuthZEN evaluation over HTTP, ${connections} connections`
  return [
    figure(
      {
        ...{ ...about, figure: name, value: single },
        reference: {
          what: 'a bare Fastify route: one indexed query, nobody authenticated',
          value: median(measured.bare),
        },
      },
      { least: 0.6 },
    ),
    figure({
      ...{ ...about, figure: `${name}, beside one query behind the same authentication`, value: single },
      reference: {
        what: 'the same token and DPoP proof verified, one indexed query',
        value: median(measured.authenticated),
      },
    }),
    figure(
      {
        ...{ ...about, figure: `AuthZEN evaluations of ${batchSize}`, value: median(measured.batch) },
        reference: { what: 'single evaluations', value: single },
      },
      { least: 10 },
    ),
  ]
}
