import { toPublicJwk } from '@tillit/keys'
import { openBareRoutes } from './bare-routes.ts'
import { type BenchDatabase, openBenchDatabase } from './bench-database.ts'
import { type Figure, figure, median, quantile } from './figure.ts'
import { type Answer, type LoadClient, openLoadClient, type Round } from './load-client.ts'
import { openReadingCity } from './reading-city.ts'
import { type PreparedRequest, prepareRequests } from './reading-requests.ts'
import { hoursOfDay } from './readings-fill.ts'

const rounds = 9
const leastRounds = 3
/** On a busy machine there are fewer rounds, so that the bench ends within a minute. */
const measureMilliseconds = 30_000
const requestsPerRound = 500
const warmUpRounds = 1
const connections = 8

/** A day of one meter at the granularity permitted, over HTTP, on a database with fsync on. */
export async function readingBench(): Promise<Figure[]> {
  const database = await openBenchDatabase()
  try {
    return await measure(database)
  } finally {
    await database.close()
  }
}

async function measure(database: BenchDatabase): Promise<Figure[]> {
  const city = await openReadingCity(database)
  const bareRoutes = await openBareRoutes(database, toPublicJwk(city.readerKey.publicKey))
  const client = openLoadClient({ connections })
  try {
    const requests = await prepareRequests(city)
    const measured: Record<keyof typeof requests, Round[]> = { protected: [], signed: [], bare: [] }
    const [signed, bare] = [await requests.signed(requestsPerRound), await requests.bare(requestsPerRound)]
    const end = performance.now() + measureMilliseconds
    let round = -warmUpRounds
    for (; round < leastRounds || (round < rounds && performance.now() < end); round++) {
      const turn = {
        protected: await ask(client, city.port, await requests.protected(requestsPerRound)), // a proof is good for one request
        signed: await ask(client, bareRoutes.port, signed),
        bare: await ask(client, bareRoutes.port, bare),
      }
      if (round < 0) continue
      for (const name of ['protected', 'signed', 'bare'] as const) measured[name].push(turn[name])
    }
    await checkTraces(database, (round + warmUpRounds) * requestsPerRound)
    return figures(measured)
  } finally {
    await client.close()
    await bareRoutes.close()
    await city.close()
  }
}

async function ask(client: LoadClient, port: number, requests: readonly PreparedRequest[]): Promise<Round> {
  const { answers, ...round } = await client.run(
    port,
    requests.map(({ text }) => text),
  )
  for (const [i, { sum }] of requests.entries()) check(answers[i], sum)
  return round
}

function check(answer: Answer | undefined, sum: number): void {
  if (answer?.status !== 200) throw new Error(`refused: ${answer?.status} ${answer?.body}`)
  const { readings } = JSON.parse(answer.body) as { readings: { value: number }[] }
  const total = readings.reduce((before, { value }) => before + value, 0)
  if (readings.length !== hoursOfDay || total !== sum)
    throw new Error(`${readings.length} values of ${total} came where ${hoursOfDay} of ${sum} were expected`)
}

/** Each protected read has left one permitting record of its values and one leaf; each signed one has left its row. */
async function checkTraces({ admin }: BenchDatabase, reads: number): Promise<void> {
  const { rows } = await admin.query(`
    select (select count(*) from metering.access_records
             where entry ->> 'decision' = 'permit' and entry ->> 'granularity' = 'PT1H' and entry ->> 'values' = '${hoursOfDay}')::int as records,
           (select count(*) from metering.outbox where kind = 'access-record')::int as leaves,
           (select count(*) from public.bare_reads)::int as bare`)
  const { records, leaves, bare } = rows[0]
  if (records !== reads || leaves !== reads || bare !== reads)
    throw new Error(`${reads} reads left ${records} records, ${leaves} leaves and ${bare} rows of the reference`)
}

function figures({ protected: ours, signed, bare }: Record<'protected' | 'signed' | 'bare', Round[]>): Figure[] {
  const speed = (of: Round[]) => median(of.map(({ perSecond }) => perSecond))
  const p99 = (of: Round[]) =>
    quantile(
      of.flatMap(({ latenciesMilliseconds }) => latenciesMilliseconds),
      0.99,
    )
  const about = { bench: 'reading', figure: `protected read of a day, ${connections} connections`, unit: 'reads/s' }
  const reference = 'a bare route: the same query, one Ed25519 verification, one durable insert'
  return [
    figure({ ...about, value: speed(ours), reference: { what: reference, value: speed(signed) } }, { least: 0.8 }),
    figure(
      {
        ...{ bench: 'reading', figure: 'its 99th percentile', value: p99(ours), unit: 'ms' },
        reference: { what: reference, value: p99(signed) },
      },
      { most: 2 },
    ),
    figure({
      ...{ ...about, figure: `${about.figure}, beside the query alone`, value: speed(ours) },
      reference: { what: 'a bare route: the same query, nothing else', value: speed(bare) },
    }),
  ]
}
