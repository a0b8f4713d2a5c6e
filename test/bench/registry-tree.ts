import { hash } from 'node:crypto'
import { appendLeaves, createProver, type Prover, rootOfEdge, tileWidth, verifyInclusion } from '@tillit/log'
import { alternate, type Contender } from './alternate.ts'
import { type Figure, figure, figureWithin } from './figure.ts'
import { type BenchTree, differentLeaves, repeatedLeaf, repeatingTree } from './log-trees.ts'
import type { RegistrySizes } from './registry.ts'
import { measureTreeMemory } from './tree-memory.ts'

type TreeSizes = RegistrySizes['tree']

/** Tiles of leaves whose proofs are asked for in turn, spread over the tree: as many in each, or caches of the machine are compared. */
const spreadTiles = 32
const leavesPerAppend = 1000
/** Appends in a row: as often as a thousand leaves come to end at the same place of a tile again. */
const appendsInTurn = 32

const unit = 'proofs/s'

export async function treeBench(sizes: TreeSizes): Promise<Figure[]> {
  return [...(await proofsBesideHashes(sizes)), await memoryOf(sizes), ...(await growth(sizes))]
}

/** Any leaf of the tree, at random, by a prover that has read its tiles. */
async function proofsBesideHashes({ countedTree, pace }: TreeSizes): Promise<Figure[]> {
  const tree = repeatingTree(countedTree)
  const prover = createProver({ readTiles: tree.memory.readTiles })
  for (let index = 0; index < countedTree; index += tileWidth) await prover.inclusionProof(index, countedTree)
  await checkProofs(tree, prover)
  const input = new Uint8Array(65)
  const speeds = await alternate(
    {
      proofs: proving(prover, {
        size: countedTree,
        indexOf: (i) => Math.floor(((i * 0.618033988749895) % 1) * countedTree),
      }),
      hashes: (times) => {
        let right = 0
        for (let i = 0; i < times; i++) {
          input[1] = i
          if (hash('sha256', input, 'buffer').length === 32) right++
        }
        return right
      },
    },
    pace,
  )
  const about = {
    bench: 'registry',
    figure: `inclusion proofs from tiles, ${named(countedTree)} leaves`,
    value: speeds.proofs,
    unit,
  }
  return [
    figureWithin(about, { least: 50_000 }),
    figure({
      ...about,
      reference: { what: 'SHA-256 of 65 bytes by node:crypto: one node of a tree', value: speeds.hashes },
    }),
  ]
}

async function memoryOf({ countedTree }: TreeSizes): Promise<Figure> {
  const { bytes } = await measureTreeMemory(countedTree)
  const name = `memory of ${named(countedTree)} leaves, tiles and every proof at hand`
  return figureWithin({ bench: 'registry', figure: name, value: bytes / 1e6, unit: 'MB' }, { most: 150 })
}

async function growth({ trees, pace }: TreeSizes): Promise<Figure[]> {
  const contenders: Record<string, Contender> = {}
  for (const size of trees) {
    const tree = repeatingTree(size)
    const prover = createProver({ readTiles: tree.memory.readTiles })
    await checkProofs(tree, prover)
    const fullTiles = Math.floor(size / tileWidth)
    const spread = (i: number) =>
      tileWidth * Math.floor(((i % spreadTiles) * fullTiles) / spreadTiles) + ((i * 37) % tileWidth)
    for (let i = 0; i < spreadTiles; i++) await prover.inclusionProof(spread(i), size)
    contenders[`append ${size}`] = appending(tree)
    contenders[`proof ${size}`] = proving(prover, { size, indexOf: spread })
    contenders[`first proof ${size}`] = provingFirst(tree)
  }
  const speeds = await alternate(contenders, pace)
  const microseconds = (name: string) => (size: number) => 1e6 / (speeds[`${name} ${size}`] ?? 0)
  return [
    growthFigure(`an append, for each leaf of ${leavesPerAppend.toLocaleString('en')}`, trees, microseconds('append')),
    growthFigure(`a proof from ${spreadTiles} tiles read before`, trees, microseconds('proof')),
    growthFigure(`the first proof from a tile, those above it read before`, trees, microseconds('first proof')),
  ]
}

function growthFigure(name: string, trees: readonly number[], cost: (size: number) => number): Figure {
  const points = trees.map((size) => ({ at: size, value: cost(size) }))
  const [least, most] = [points[0], points.at(-1)]
  if (least === undefined || most === undefined) throw new Error('there are no trees')
  const grown = figure(
    {
      bench: 'registry',
      figure: `cost of ${name}, ${named(most.at)} leaves beside ${named(least.at)}`,
      ...{ value: most.value / least.value, unit: 'times' },
      reference: { what: 'growth of log(n)', value: Math.log(most.at) / Math.log(least.at) },
    },
    { most: 1 },
  )
  return { ...grown, curve: { over: 'leaves', unit: 'µs', points } }
}

function proving(prover: Prover, { size, indexOf }: { size: number; indexOf: (i: number) => number }): Contender {
  let next = 0
  const length = new Map<number, number>()
  return async (times) => {
    let right = 0
    for (let i = 0; i < times; i++) {
      const index = indexOf(next++)
      const proof = await prover.inclusionProof(index, size)
      if (proof.length > 0 && proof.length === (length.get(index) ?? proof.length)) right++
    }
    return right
  }
}

/** Leaves of one tile after the other; once around, a new prover has read none of them. */
function provingFirst({ size, memory: { readTiles } }: BenchTree): Contender {
  const tiles = Math.floor(size / tileWidth)
  let prover = createProver({ readTiles })
  let next = 0
  return async (times) => {
    let right = 0
    for (let i = 0; i < times; i++) {
      if (next === tiles) {
        next = 0
        prover = createProver({ readTiles })
      }
      const proof = await prover.inclusionProof(tileWidth * next++, size)
      if (proof.length > 0) right++
    }
    return right
  }
}

/** Counts leaves, not appends. */
function appending({ size, edge: start }: BenchTree): Contender {
  const leaves = differentLeaves(size, leavesPerAppend)
  let edge = start
  let turn = 0
  return (times) => {
    let appended = 0
    for (; appended < times; turn++) {
      if (turn % appendsInTurn === 0) edge = start
      const batch = leaves.slice(0, Math.min(leavesPerAppend, times - appended))
      edge = appendLeaves(edge, batch).edge
      appended += batch.length
    }
    return appended
  }
}

/** Of a few leaves, the first and the last among them, that the proofs prove. */
async function checkProofs({ size, edge }: BenchTree, prover: Prover): Promise<void> {
  const root = rootOfEdge(edge)
  for (const index of [0, 1, Math.floor(size / 3), Math.floor(size / 2), size - 1])
    verifyInclusion(repeatedLeaf(index), { index, size, root, proof: await prover.inclusionProof(index, size) })
}

function named(count: number): string {
  return count.toLocaleString('en')
}
