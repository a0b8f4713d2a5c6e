import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '@tillit/problem'
import { parseEther } from 'viem'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { accountAddress } from './evm-account.ts'
import { type Interference, newAccount, nodeInFront, root, type TestChain, testChain } from './ledger.fixture.ts'
import type { Ledger } from './ledger.ts'
import { type EvmLedgerOptions, openEvmLedger } from './open-evm-ledger.ts'
import { anvilAccount } from './start-anvil.ts'

const anchorer = accountAddress(anvilAccount())
/** Long enough for a few looks at the chain, so that a call gives up while nobody mines. */
const impatient = { patienceMs: 300 }

let chain: TestChain
let closing: (() => unknown)[]
beforeEach(async () => {
  chain = await testChain()
  closing = [() => chain.stop()]
})
afterEach(async () => {
  for (const close of closing.reverse()) await close()
})

const open = (options: Partial<EvmLedgerOptions> = {}): Promise<Ledger> =>
  openEvmLedger({ rpcUrl: chain.rpcUrl, account: anvilAccount(), ...options })
const stopMining = () => chain.rpc('evm_setAutomine', false)
const mine = (blocks = 1) => chain.rpc('anvil_mine', `0x${blocks.toString(16)}`)

async function inFront(interfere: Interference) {
  const node = await nodeInFront(chain.rpcUrl, interfere)
  closing.push(node.close)
  return node
}

test('a transaction whose answer was lost is found at the next round and not sent again', async () => {
  let losing = false
  const node = await inFront(({ method }) => (losing && method === 'eth_sendRawTransaction' ? 'lose answer' : 'pass'))
  const ledger = await open({ rpcUrl: node.url, timeoutMs: 1000 })
  const before = await chain.sent(anchorer)
  losing = true
  await expect(ledger.anchor(root(1), 10)).rejects.toMatchObject({ code: 'ledger-unavailable' })
  losing = false
  expect(await ledger.anchor(root(1), 10)).toMatchObject({ size: 10 })
  expect((await chain.sent(anchorer)) - before).toBe(1)
})

test('a transaction sent before a crash is found by the next process under its number', async () => {
  const before = (await open()) && (await chain.sent(anchorer))
  await stopMining()
  await expect((await open(impatient)).anchor(root(1), 10)).rejects.toMatchObject({ code: 'anchor-not-confirmed' })
  await expect((await open(impatient)).anchor(root(1), 10)).rejects.toMatchObject({ code: 'anchor-not-confirmed' })
  const restarted = await open()
  const record = restarted.anchor(root(1), 10)
  await mine()
  expect(await record).toMatchObject({ size: 10, root: root(1) })
  await mine(3)
  expect((await chain.sent(anchorer)) - before).toBe(1)
})

test('a head sent before a crash that is mined in place of a newer one is shown before the newer one is sent', async () => {
  const before = (await open()) && (await chain.sent(anchorer))
  await stopMining()
  await expect((await open(impatient)).anchor(root(1), 10)).rejects.toMatchObject({ code: 'anchor-not-confirmed' })
  const node = await inFront(() => 'pass')
  const restarted = await open({ rpcUrl: node.url })
  // At the same price the pool keeps the first.
  const anchoring = restarted.anchor(root(2), 20).catch((error: unknown) => error)
  await vi.waitFor(() => expect(node.of('eth_sendRawTransaction')).toHaveLength(1), 10_000)
  await mine()
  expect(await anchoring).toMatchObject({ message: 'The ledger has not confirmed the anchor of 10 entries yet' })
  expect(await restarted.find(10)).toMatchObject({ size: 10 })
  await chain.rpc('evm_setAutomine', true)
  expect(await restarted.anchor(root(2), 20)).toMatchObject({ size: 20 })
  expect((await chain.sent(anchorer)) - before).toBe(2)
})

test('a transaction that is stuck is replaced under its number once the price has risen', async () => {
  const ledger = await open(impatient)
  const before = await chain.sent(anchorer)
  await stopMining()
  await expect(ledger.anchor(root(1), 10)).rejects.toMatchObject({ code: 'anchor-not-confirmed' })
  const gasPrice = BigInt(String(await chain.rpc('eth_gasPrice')))
  await chain.rpc('anvil_setNextBlockBaseFeePerGas', `0x${(gasPrice * 10n).toString(16)}`)
  await mine()
  expect((await chain.sent(anchorer)) - before, 'the first is too cheap for the block').toBe(0)
  await expect(ledger.anchor(root(2), 20)).rejects.toMatchObject({ code: 'anchor-not-confirmed' })
  await mine()
  expect(await ledger.anchor(root(2), 20)).toMatchObject({ size: 20 })
  expect((await chain.sent(anchorer)) - before).toBe(1)
  expect(await ledger.find(10)).toBeNull()
})

test('an anchor counts after its confirmations only, and the next round goes on waiting', async () => {
  const ledger = await open({ confirmations: 3, ...impatient })
  const before = await chain.sent(anchorer)
  await expect(ledger.anchor(root(1), 10)).rejects.toMatchObject({ code: 'anchor-not-confirmed' })
  expect(await ledger.latest()).toEqual({ size: 10, root: root(1) })
  expect(await ledger.find(10)).toBeNull()
  await mine()
  await expect(ledger.anchor(root(2), 20), 'an earlier head comes first').rejects.toMatchObject({
    code: 'anchor-not-confirmed',
  })
  expect(await ledger.latest()).toEqual({ size: 10, root: root(1) })
  await mine()
  expect(await ledger.anchor(root(1), 10)).toMatchObject({ size: 10 })
  expect(await ledger.find(10)).toMatchObject({ size: 10 })
  expect((await chain.sent(anchorer)) - before).toBe(1)
})

test('an anchor that a reorganisation dropped is noticed and made again', async () => {
  const ledger = await open()
  await ledger.anchor(root(1), 10)
  const { transaction } = await ledger.anchor(root(2), 20)
  expect(await ledger.confirm(transaction)).toMatchObject({ size: 20 })
  // The newest block is replaced by an empty one.
  await chain.rpc('anvil_reorg', 1, [])
  expect(await ledger.confirm(transaction)).toBeNull()
  expect(await ledger.find(20)).toBeNull()
  expect(await ledger.latest()).toEqual({ size: 10, root: root(1) })
  const again = await ledger.anchor(root(2), 20)
  expect(await ledger.confirm(again.transaction)).toEqual(again)
  expect(await ledger.latest()).toEqual({ size: 20, root: root(2) })
})

test('a chain that went back to an older state takes the head again, by one transaction', async () => {
  const ledger = await open()
  await ledger.anchor(root(1), 10)
  const snapshot = await chain.rpc('evm_snapshot')
  const { transaction } = await ledger.anchor(root(2), 20)
  await chain.rpc('evm_revert', snapshot)
  expect(await ledger.latest()).toEqual({ size: 10, root: root(1) })
  expect(await ledger.confirm(transaction)).toBeNull()
  const before = await chain.sent(anchorer)
  expect(await ledger.anchor(root(3), 30)).toMatchObject({ size: 30 })
  expect((await chain.sent(anchorer)) - before).toBe(1)
})

test('a chain killed in the middle and restarted from its older state takes the head again', async () => {
  const ledger = await open({ timeoutMs: 2000 })
  await ledger.anchor(root(1), 10)
  const died = new Promise<void>((resolve) => chain.anvil.onExit(resolve))
  const anchoring = ledger.anchor(root(2), 20).catch((error: unknown) => error)
  process.kill(Number(readFileSync(join(chain.dataDir, 'anvil.pid'), 'utf8')), 'SIGKILL')
  await died
  await anchoring
  await vi.waitFor(async () => expect(await ledger.anchor(root(2), 20)).toMatchObject({ size: 20 }), 10_000)
  expect(await ledger.latest()).toEqual({ size: 20, root: root(2) })
})

test('an outage of many intervals is caught up by one transaction', async () => {
  let down = false
  const node = await inFront(() => (down ? { status: 503, text: 'down' } : 'pass'))
  const ledger = await open({ rpcUrl: node.url })
  await ledger.anchor(root(1), 10)
  const before = await chain.sent(anchorer)
  down = true
  for (let interval = 2; interval <= 12; interval++)
    await expect(ledger.anchor(root(interval), 10 * interval)).rejects.toMatchObject({ code: 'ledger-unavailable' })
  down = false
  expect(await ledger.anchor(root(13), 130)).toMatchObject({ size: 130 })
  expect((await chain.sent(anchorer)) - before).toBe(1)
})

test('an anchor dearer than the cap is not sent, and both figures are told', async () => {
  const ledger = await open({ maxFeeWei: parseEther('0.000000000001') })
    .catch((error: unknown) => error)
    .then(async (refused) => {
      expect(refused, 'neither is the contract at such a price').toMatchObject({ code: 'anchor-fee-too-high' })
      await open()
      return open({ maxFeeWei: 1_000_000n })
    })
  const before = await chain.sent(anchorer)
  await expect(ledger.anchor(root(1), 10)).rejects.toMatchObject({
    code: 'anchor-fee-too-high',
    message: expect.stringMatching(/^An anchor costs 0\.\d+ coin now; no more than 0\.000000000001 coin may be paid$/),
  })
  expect(await chain.sent(anchorer)).toBe(before)
  expect((await (await open({ maxFeeWei: parseEther('1') })).anchor(root(1), 10)).cost?.feeWei).toBeLessThan(
    parseEther('1'),
  )
})

test('an account without coin is told by its address', async () => {
  const account = newAccount(9)
  await expect(open({ account })).rejects.toThrow(`${accountAddress(account)} has too little coin to pay for gas`)
})

test('a node that hangs is given up in time', async () => {
  const node = await inFront(({ method }) => (method === 'eth_chainId' ? 'pass' : 'hang'))
  await expect(open({ rpcUrl: node.url, timeoutMs: 200 })).rejects.toThrow('it did not answer in time')
})

test('a node that lies about its chain is refused, and so is one that serves another than the named one', async () => {
  await expect(open({ chain: 'iota-evm' })).rejects.toMatchObject({
    code: 'invalid-configuration',
    message: 'The node of the ledger serves chain 31337, and not iota-evm (8822)',
  })
  let lying = true
  const node = await inFront(({ method }) => (lying && method === 'eth_chainId' ? { result: '0x2276' } : 'pass'))
  // What is signed for the chain that it says it is, this one does not take.
  await expect(open({ rpcUrl: node.url, chain: 'iota-evm', ...impatient })).rejects.toBeInstanceOf(Problem)
  expect(await chain.sent(anchorer)).toBe(0)
  lying = false
  await expect(open({ rpcUrl: node.url, chain: 'iota-evm' })).rejects.toMatchObject({ code: 'invalid-configuration' })
})

test.each([
  [
    'an error object',
    { error: { code: -32000, message: 'project sEcReT-key of http://node/v3/sEcReT-key is blocked' } },
  ],
  ['a page', { status: 401, text: 'bad key sEcReT-key' }],
  ['a page that says yes', { status: 200, text: 'sEcReT-key' }],
] as const)('what a node says in %s is never shown, as it may hold the key of its URL', async (_form, reply) => {
  let failing = false
  const node = await inFront(() => (failing ? reply : 'pass'))
  const ledger = await open({ rpcUrl: node.url, timeoutMs: 1000 })
  failing = true
  for (const work of [
    () => ledger.latest(),
    () => ledger.find(1),
    () => ledger.anchor(root(1), 1),
    () => ledger.confirm(`0x${'11'.repeat(32)}`),
  ]) {
    const error = await work().catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'ledger-unavailable' })
    expect(error instanceof Error && [error.message, error.stack, error.cause].join(' ')).not.toContain('sEcReT')
  }
})

test('a node that lags behind brings about no second anchor, as number and head are read of one block', async () => {
  const ledger = await open()
  await ledger.anchor(root(1), 10)
  const held = await chain.rpc('eth_blockNumber')
  await ledger.anchor(root(2), 20)
  const before = await chain.sent(anchorer)
  const node = await inFront(({ method }) => (method === 'eth_blockNumber' ? { result: held } : 'pass'))
  const lagging = await open({ rpcUrl: node.url, ...impatient })
  await expect(lagging.anchor(root(2), 20)).rejects.toMatchObject({ code: 'anchor-not-confirmed' })
  await expect(lagging.anchor(root(3), 30)).rejects.toMatchObject({ code: 'anchor-not-confirmed' })
  await chain.rpc('evm_mine')
  expect(await chain.sent(anchorer)).toBe(before)
})
