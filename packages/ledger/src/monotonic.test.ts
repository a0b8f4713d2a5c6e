import fc from 'fast-check'
import { createWalletClient, type Hex, http, publicActions } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import artefact from '../../../infra/contracts/TillitAnchor.json' with { type: 'json' }
import { anchorAbi } from './anchor-abi.ts'
import { stateOfContract } from './anchor-contract.ts'
import { type TestChain, testChain } from './ledger.fixture.ts'
import { readAnchors } from './read-anchors.ts'

let chain: TestChain
beforeAll(async () => {
  chain = await testChain()
})
afterAll(() => chain.stop())

/** Anybody anchors anything, or hands the role to anybody; most of it must be refused. */
const step = fc.record({
  caller: fc.integer({ min: 0, max: 2 }),
  rotateTo: fc.option(fc.integer({ min: 0, max: 2 }), { freq: 4 }),
  size: fc.integer({ min: 0, max: 6 }),
  root: fc.integer({ min: 0, max: 3 }),
})

test('whoever calls whatever, the size never shrinks, a size keeps its root, and the events say just that', async () => {
  const wallet = createWalletClient({ transport: http(chain.rpcUrl) }).extend(publicActions)
  const accounts = (await wallet.getAddresses()).slice(0, 3)
  const [deployer] = accounts
  if (deployer === undefined) throw new Error('anvil has accounts')
  // A generous limit in place of an estimate, so that what is refused is mined as refused.
  const options = { chain: null, gas: 1_000_000n } as const
  const hex = (byte: number): Hex => `0x${byte.toString(16).padStart(64, '0')}`
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const hash = await wallet.deployContract({
        ...{ ...options, account: deployer, abi: anchorAbi, bytecode: artefact.bytecode as Hex, args: [deployer] },
      })
      const { contractAddress: address } = await wallet.waitForTransactionReceipt({ hash, pollingInterval: 10 })
      if (!address) throw new Error('not deployed')
      let anchorer = 0
      const heads: { size: number; root: number }[] = []
      for (const { caller, rotateTo, size, root } of steps) {
        const call = { ...options, abi: anchorAbi, address, account: accounts[caller] ?? deployer }
        const next = rotateTo === null ? undefined : accounts[rotateTo]
        const sent =
          next === undefined
            ? await wallet.writeContract({ ...call, functionName: 'anchor', args: [hex(root), BigInt(size)] })
            : await wallet.writeContract({ ...call, functionName: 'rotateAnchorer', args: [next] })
        const { status } = await wallet.waitForTransactionReceipt({ hash: sent, pollingInterval: 10 })
        const newest = heads.at(-1) ?? { size: 0, root: 0 }
        const isSame = size === newest.size && root === newest.root
        const isDue = caller === anchorer && (next !== undefined || isSame || size > newest.size)
        expect(status).toBe(isDue ? 'success' : 'reverted')
        if (isDue && next !== undefined) anchorer = rotateTo ?? anchorer
        else if (isDue && !isSame) heads.push({ size, root })
      }
      const state = await stateOfContract(wallet as never, address)
      expect(state?.latest?.size).toBe(heads.at(-1)?.size)
      expect(state?.anchorer).toBe(accounts[anchorer])
      const anchors = await readAnchors({ rpcUrl: chain.rpcUrl, contract: address })
      expect(anchors.map(({ size, root }) => ({ size, root: root[31] }))).toEqual(heads)
    }),
    { numRuns: 15 },
  )
})
