import fastify from 'fastify'
import { type Figure, figure, median } from './figure.ts'
import { getText, postText } from './http-text.ts'
import { type LoadClient, openLoadClient } from './load-client.ts'
import type { RegistrySizes } from './registry.ts'
import type { RegistryCity } from './registry-city.ts'
import { openDidMaker } from './registry-dids.ts'

const warmUpRounds = 1
const connections = 16
/** Asked for in turn. */
const hotDids = 16

/** DIDs that are asked for again and again over HTTP, beside a route that sends bytes of the same length and type, and knows nothing. */
export async function answerBench(
  city: RegistryCity,
  { rounds, requests }: RegistrySizes['answers'],
): Promise<Figure[]> {
  const maker = openDidMaker()
  const client = openLoadClient({ connections })
  try {
    const dids = await maker.make(hotDids)
    const registrations = dids.map(({ entry }) => ({ entry, listed: true }))
    await client.run(city.port, [postText('/dids/batch', JSON.stringify({ registrations }))])
    const asked = Array.from({ length: requests }, (_, i) => dids[i % hotDids]?.did ?? '')
    const paths = asked.map((did) => getText(`/1.0/identifiers/${did}`))
    const [first] = (await client.run(city.port, paths.slice(0, 1))).answers
    const bare = await openBareAnswer(Buffer.from(first?.body ?? ''))
    const length = Buffer.byteLength(first?.body ?? '')
    const ours: number[] = []
    const reference: number[] = []
    try {
      for (let round = -warmUpRounds; round < rounds; round++) {
        const resolved = await answered(client, city.port, { requests: paths, holding: asked })
        const sent = await answered(client, bare.port, { requests: paths, holding: asked.map(() => '"didDocument"') })
        if (round < 0) continue
        ours.push(resolved)
        reference.push(sent)
      }
    } finally {
      await bare.close()
    }
    return [
      figure(
        {
          ...{ bench: 'registry', figure: `DIDs resolved over HTTP, remembered, ${connections} connections` },
          ...{ value: median(ours), unit: 'answers/s' },
          reference: { what: `a bare route that sends ${length} bytes`, value: median(reference) },
        },
        { least: 0.7 },
      ),
    ]
  } finally {
    await client.close()
    await maker.close()
  }
}

async function answered(
  client: LoadClient,
  port: number,
  { requests, holding }: { requests: readonly string[]; holding: readonly string[] },
): Promise<number> {
  const { answers, perSecond } = await client.run(port, requests)
  for (const [i, text] of holding.entries()) {
    const answer = answers[i]
    if (answer?.status !== 200 || !answer.body.includes(text))
      throw new Error(`another answer than expected: ${answer?.status} ${answer?.body}`)
  }
  return perSecond
}

async function openBareAnswer(body: Buffer): Promise<{ port: number; close(): Promise<void> }> {
  const app = fastify({ routerOptions: { maxParamLength: 2048 } })
  app.get('/1.0/identifiers/*', async (_request, reply) =>
    reply.header('content-type', 'application/did-resolution').send(body),
  )
  const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  return { port: Number(address.port), close: () => app.close() }
}
