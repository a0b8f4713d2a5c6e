import { readFileSync } from 'node:fs'
import { numberToHex } from 'viem'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  type Interference,
  nodeInFront,
  type RpcCall,
  root,
  stranger,
  type TestChain,
  testChain,
} from './ledger.fixture.ts'
import type { Ledger } from './ledger.ts'
import { openEvmLedger } from './open-evm-ledger.ts'
import { readAnchor } from './read-anchor.ts'
import { readAnchors } from './read-anchors.ts'
import { anvilAccount } from './start-anvil.ts'

/** Blocks before, between and after the anchors: more than one range holds. */
const gap = 300
const blocksPerCall = 100
const sizes = [10, 25, 70, 71, 4000]

let chain: TestChain
let ledger: Ledger
let closing: (() => void)[] = []
beforeAll(async () => {
  chain = await testChain()
  const mine = (blocks: number) => chain.rpc('anvil_mine', numberToHex(blocks))
  await mine(gap)
  ledger = await openEvmLedger({ rpcUrl: chain.rpcUrl, account: anvilAccount() })
  for (const size of sizes) {
    await ledger.anchor(root(size % 251), size)
    if (size === 70) await mine(gap)
  }
  await mine(gap)
})
afterEach(() => {
  for (const close of closing) close()
  closing = []
})
afterAll(() => chain.stop())

async function inFront(interfere: Interference) {
  const node = await nodeInFront(chain.rpcUrl, interfere)
  closing.push(node.close)
  return node
}

const rangeOf = ({ params }: RpcCall) => {
  const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }]
  return { from: Number(fromBlock), to: Number(toBlock) }
}

test('all heads are read from the ledger, the smallest first, and none before the contract', async () => {
  const node = await inFront(() => 'pass')
  const anchors = await readAnchors({ rpcUrl: node.url, contract: ledger.contract, blocksPerCall })
  expect(anchors.map(({ size, root: [byte] }) => [size, byte])).toEqual(sizes.map((size) => [size, size % 251]))
  const found = await ledger.find(70)
  expect(anchors[2]).toMatchObject({ transaction: found?.transaction, blockNumber: found?.blockNumber })
  const asked = node.of('eth_getLogs').map(rangeOf)
  expect(asked.length).toBeGreaterThan(2)
  expect(asked.length).toBeLessThan(8)
  expect(Math.min(...asked.map(({ from }) => from)), 'it ends where the contract was put there').toBeLessThan(gap)
  expect(asked.filter(({ to }) => to < gap)).toEqual([])
})

test('only the heads from a size on are given', async () => {
  const anchors = await readAnchors({ rpcUrl: chain.rpcUrl, contract: ledger.contract, minSize: 71, blocksPerCall })
  expect(anchors.map(({ size }) => size)).toEqual([71, 4000])
})

test.each([
  ['an error object', { error: { code: -32602, message: 'query exceeds max block range 40' } }],
  ['an HTTP status', { status: 400, text: 'range too large' }],
] as const)('a node that refuses wide ranges with %s is asked in narrower ones', async (_form, refusal) => {
  const node = await inFront((call) => {
    if (call.method !== 'eth_getLogs') return 'pass'
    const { from, to } = rangeOf(call)
    return to - from + 1 > 40 ? refusal : 'pass'
  })
  const anchors = await readAnchors({ rpcUrl: node.url, contract: ledger.contract })
  expect(anchors.map(({ size }) => size)).toEqual(sizes)
  expect(await readAnchor({ rpcUrl: node.url, contract: ledger.contract, anchor: { size: 25 } })).toMatchObject({
    size: 25,
  })
  await expect(readAnchor({ rpcUrl: node.url, contract: ledger.contract, anchor: { size: 26 } })).rejects.toMatchObject(
    { code: 'anchor-mismatch' },
  )
})

test('a node that refuses every range is unavailable, and says so without end', async () => {
  const node = await inFront(({ method }) =>
    method === 'eth_getLogs' ? { error: { code: -32601, message: 'no such method' } } : 'pass',
  )
  await expect(readAnchors({ rpcUrl: node.url, contract: ledger.contract })).rejects.toMatchObject({
    code: 'ledger-unavailable',
  })
  expect(node.of('eth_getLogs').length).toBeLessThan(30)
})

test('events that a node slips in from another contract, or out of order, are not taken for anchors', async () => {
  const other = await openEvmLedger({ rpcUrl: chain.rpcUrl, account: stranger })
  await other.anchor(root(9), 900)
  const logsOf = async (address: string) =>
    (await chain.rpc('eth_getLogs', { address, fromBlock: '0x0', toBlock: 'latest' })) as unknown[]
  const [own, foreign] = [await logsOf(ledger.contract), await logsOf(other.contract)]
  const giving = (result: unknown[]) => inFront(({ method }) => (method === 'eth_getLogs' ? { result } : 'pass'))
  const slipping = await giving([...own, ...foreign])
  const anchors = await readAnchors({ rpcUrl: slipping.url, contract: ledger.contract })
  expect(anchors.map(({ size }) => size)).toEqual(sizes)
  const shuffling = await giving(own.toReversed())
  await expect(readAnchors({ rpcUrl: shuffling.url, contract: ledger.contract })).rejects.toMatchObject({
    code: 'anchor-mismatch',
  })
})

test('a contract with other code than ours is not believed, whatever it emits', async () => {
  const impostor = `0x${'99'.repeat(20)}`
  const { deployedBytecode } = JSON.parse(
    readFileSync(new URL('../../../infra/contracts/TillitAnchor.json', import.meta.url), 'utf8'),
  ) as { deployedBytecode: string }
  await chain.rpc('anvil_setCode', impostor, `${deployedBytecode}00`)
  for (const contract of [impostor, `0x${'98'.repeat(20)}`])
    await expect(readAnchors({ rpcUrl: chain.rpcUrl, contract })).rejects.toThrow('is not the anchor contract')
  await chain.rpc('anvil_setCode', impostor, deployedBytecode)
  await expect(openEvmLedger({ rpcUrl: chain.rpcUrl, contract: impostor, account: anvilAccount() })).rejects.toThrow(
    'Another account anchors',
  )
})
