import type { Pace } from './alternate.ts'
import { openBenchDatabase } from './bench-database.ts'
import type { Figure } from './figure.ts'
import { answerBench } from './registry-answers.ts'
import { batchBench } from './registry-batches.ts'
import { openRegistryCity } from './registry-city.ts'
import { gasBench } from './registry-gas.ts'
import { requestBench } from './registry-requests.ts'
import { resolvingBench } from './registry-resolving.ts'
import { treeBench } from './registry-tree.ts'

/** How much of each is measured. */
export interface RegistrySizes {
  readonly batches: {
    readonly rounds: number
    readonly batches: number
    readonly dids: number
    readonly rawMilliseconds: number
  }
  readonly requests: { readonly rounds: number; readonly requests: number }
  readonly answers: { readonly rounds: number; readonly requests: number }
  readonly resolving: { readonly entries: number; readonly pace: Pace }
  readonly tree: { readonly trees: readonly number[]; readonly countedTree: number; readonly pace: Pace }
  readonly gas: { readonly operations: readonly number[] }
}

const fullSizes: RegistrySizes = {
  batches: { rounds: 5, batches: 4, dids: 500, rawMilliseconds: 500 },
  requests: { rounds: 5, requests: 1000 },
  answers: { rounds: 9, requests: 4000 },
  resolving: { entries: 100, pace: { rounds: 15, roundMilliseconds: 200, warmUpMilliseconds: 1000 } },
  tree: {
    trees: [10_000, 100_000, 1_000_000, 10_000_000],
    countedTree: 1_000_000,
    pace: { rounds: 11, roundMilliseconds: 60, warmUpMilliseconds: 200 },
  },
  gas: { operations: [1, 10, 100, 1000, 10_000, 100_000] },
}

/** DIDs registered and resolved over HTTP, logs verified, the tree, and the ledger; on a database with fsync on. */
export async function registryBench(sizes: RegistrySizes = fullSizes): Promise<Figure[]> {
  return [
    ...(await overHttp(sizes)),
    ...(await resolvingBench(sizes.resolving)),
    ...(await treeBench(sizes.tree)),
    ...(await gasBench(sizes.gas)),
  ]
}

async function overHttp({ batches, requests, answers }: RegistrySizes): Promise<Figure[]> {
  const database = await openBenchDatabase()
  try {
    const city = await openRegistryCity(database)
    try {
      return [
        ...(await batchBench(database, city, batches)),
        ...(await requestBench(database, city, requests)),
        ...(await answerBench(city, answers)),
      ]
    } finally {
      await city.close()
    }
  } finally {
    await database.close()
  }
}
