import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { BenchDatabase } from './bench-database.ts'
import { type Figure, figure, median } from './figure.ts'
import { postText } from './http-text.ts'
import { openLoadClient } from './load-client.ts'
import type { RegistrySizes } from './registry.ts'
import type { RegistryCity } from './registry-city.ts'
import { type NewDid, openDidMaker } from './registry-dids.ts'

const warmUpRounds = 1
/** Batches under way at once. */
const connections = 4
const pollMilliseconds = 2

/**
 * New DIDs, each with a key that was never seen, from the first byte sent until the last entry is in the tree: parsed, verified, durable
 * in PostgreSQL, sequenced into leaves and tiles. Beside it the bare signature verifications, one for each DID.
 */
export async function batchBench(
  database: BenchDatabase,
  city: RegistryCity,
  sizes: RegistrySizes['batches'],
): Promise<Figure[]> {
  const client = openLoadClient({ connections })
  const maker = openDidMaker()
  const verifyRaw = rawVerifier(sizes.dids)
  const ours: number[] = []
  const raw: number[] = []
  try {
    for (let round = -warmUpRounds; round < sizes.rounds; round++) {
      const dids = await maker.make(sizes.batches * sizes.dids)
      const batches = inBatches(dids, sizes.dids).map((batch) => postText('/dids/batch', bodyOf(batch)))
      const leaves = await leavesOf(database)
      const begin = performance.now()
      const { answers } = await client.run(city.port, batches)
      while ((await leavesOf(database)) < leaves + dids.length) await delay(pollMilliseconds)
      const seconds = (performance.now() - begin) / 1000
      const accepted = answers.reduce((sum, { body }) => sum + body.split('"status":201').length - 1, 0)
      if (accepted !== dids.length) throw new Error(`${accepted} of ${dids.length} DIDs were accepted`)
      const rawPerSecond = verifyRaw(sizes.rawMilliseconds)
      if (round < 0) continue
      ours.push(dids.length / seconds)
      raw.push(rawPerSecond)
    }
  } finally {
    await client.close()
    await maker.close()
  }
  return [
    figure(
      {
        ...{ bench: 'registry', figure: `DIDs registered in batches of ${sizes.dids}, until in the tree` },
        ...{ value: median(ours), unit: 'DIDs/s' },
        reference: {
          what: 'Ed25519 verifications by node:crypto in one thread, keys imported before',
          value: median(raw),
        },
      },
      { least: 0.5 },
    ),
  ]
}

function inBatches(dids: readonly NewDid[], size: number): NewDid[][] {
  return Array.from({ length: Math.ceil(dids.length / size) }, (_, i) => dids.slice(i * size, (i + 1) * size))
}

function bodyOf(dids: readonly NewDid[]): string {
  return JSON.stringify({ registrations: dids.map(({ entry }) => ({ entry, listed: true })) })
}

/** Leaves and the tiles over them are written by one transaction. */
async function leavesOf({ admin }: BenchDatabase): Promise<number> {
  const { rows } = await admin.query('select coalesce(max(index) + 1, 0)::int as leaves from registry.leaves')
  return rows[0].leaves
}

/** Gives signatures verified in a second, in one thread, under as many keys as a batch has, all imported before. */
function rawVerifier(keys: number): (milliseconds: number) => number {
  const signed = Array.from({ length: keys }, (_, i) => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    // As long as what is signed of an entry: two hashes.
    const message = new Uint8Array(64).fill(i)
    return { publicKey, message, signature: sign(null, message, privateKey) }
  })
  return (milliseconds) => {
    let right = 0
    let done = 0
    const begin = performance.now()
    while (performance.now() - begin < milliseconds) {
      for (const { publicKey, message, signature } of signed) if (verify(null, message, publicKey, signature)) right++
      done += signed.length
    }
    const perSecond = done / ((performance.now() - begin) / 1000)
    if (right !== done) throw new Error(`${done - right} signatures did not verify`)
    return perSecond
  }
}
