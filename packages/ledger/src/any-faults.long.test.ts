import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accountAddress } from './evm-account.ts'
import { type Interference, nodeInFront, root, type TestChain, testChain } from './ledger.fixture.ts'
import { openEvmLedger } from './open-evm-ledger.ts'
import { readAnchors } from './read-anchors.ts'
import { anvilAccount } from './start-anvil.ts'

const account = anvilAccount()
const anchorer = accountAddress(account)

let chain: TestChain
let node: Awaited<ReturnType<typeof nodeInFront>>
let interference: Interference = () => 'pass'
beforeAll(async () => {
  chain = await testChain()
  node = await nodeInFront(chain.rpcUrl, (call) => interference(call))
})
afterAll(async () => {
  node.close()
  await chain.stop()
})

const down = { status: 503, text: 'down' }
/** What goes wrong while one head is to be anchored. */
const faults: Record<string, Interference> = {
  'nothing at all': () => 'pass',
  'all calls fail': () => down,
  'sending fails': ({ method }) => (method === 'eth_sendRawTransaction' ? down : 'pass'),
  'the answer to sending is lost': ({ method }) => (method === 'eth_sendRawTransaction' ? 'lose answer' : 'pass'),
  'receipts and events fail': ({ method }) => (/Receipt|getLogs/.test(method) ? down : 'pass'),
}

const round = fc.record({
  fault: fc.constantFrom(...Object.keys(faults)),
  isMining: fc.boolean(),
  restarts: fc.boolean(),
  grows: fc.boolean(),
})

test('whatever fails in whatever order, every transaction brings one head, and the newest is anchored in the end', async () => {
  const open = () => openEvmLedger({ rpcUrl: node.url, account, patienceMs: 50, timeoutMs: 1000 })
  let size = 0
  let ledger = await open()
  const before = await chain.sent(anchorer)
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 6 }), async (rounds) => {
      for (const { fault, isMining, restarts, grows } of rounds) {
        interference = () => 'pass'
        if (restarts) ledger = await open()
        if (grows || size === 0) size++
        interference = faults[fault] ?? (() => 'pass')
        await chain.rpc('evm_setAutomine', isMining)
        await ledger.anchor(root(size % 251), size).catch((error: unknown) => {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(ledger-unavailable|anchor-not-confirmed)$/) })
        })
      }
      interference = () => 'pass'
      await chain.rpc('evm_setAutomine', true)
      await chain.rpc('evm_mine')
      // The first may show an earlier head that is mined only now.
      const record = await ledger.anchor(root(size % 251), size).catch(() => ledger.anchor(root(size % 251), size))
      expect(record).toMatchObject({ size, root: root(size % 251) })
      const anchors = await readAnchors({ rpcUrl: chain.rpcUrl, contract: ledger.contract })
      expect(anchors.at(-1)?.size).toBe(size)
      expect((await chain.sent(anchorer)) - before, 'no transaction is paid for nothing').toBe(anchors.length)
    }),
    { numRuns: 25 },
  )
})
