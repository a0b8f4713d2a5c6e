import { setImmediate as nextTurn } from 'node:timers/promises'
import { createProver, rootFromTiles, rootOfEdge } from '@tillit/log'
import { grownTree } from './log-trees.ts'
import type { TreeMemory } from './tree-memory.ts'

const leaves = Number(process.argv[2])

const before = await held()
const tree = grownTree(leaves)
const prover = createProver({ readTiles: tree.memory.readTiles })
for (let index = 0; index < leaves; index += 256) await prover.inclusionProof(index, leaves)
const memory: TreeMemory = { bytes: (await held()) - before }
// Used afterwards, so that none of it was garbage when it was weighed.
const root = Buffer.from(await rootFromTiles(leaves, tree.memory.readTiles)).toString('hex')
if (root !== Buffer.from(rootOfEdge(tree.edge)).toString('hex')) throw new Error('the tree is not whole')
if ((await prover.inclusionProof(leaves - 1, leaves)).length === 0) throw new Error('the prover proves nothing')
console.log(JSON.stringify(memory))

async function held(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('start it with --expose-gc')
  for (let i = 0; i < 4; i++) {
    globalThis.gc()
    await nextTurn()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
