import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contractFile } from './contract-memory.ts'
import { accountAddress } from './evm-account.ts'
import { newAccount, root, stranger, type TestChain, testChain } from './ledger.fixture.ts'
import { openEvmLedger } from './open-evm-ledger.ts'
import { rotateAnchorer } from './rotate-anchorer.ts'
import { anvilAccount } from './start-anvil.ts'

let chain: TestChain
let folder: string
beforeAll(async () => {
  chain = await testChain()
  folder = mkdtempSync(join(tmpdir(), 'contract-memory-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await chain.stop()
})

test('a contract is remembered by its chain, and an account that took the role over goes on in it', async () => {
  const memory = contractFile(join(folder, 'below', 'contracts.json'))
  expect(await memory.recall(31337)).toBeNull()
  const { rpcUrl } = chain
  const first = await openEvmLedger({ rpcUrl, account: anvilAccount(), memory })
  const { contract } = first
  await first.anchor(root(1), 1)
  expect(await memory.recall(31337)).toBe(contract)
  expect(await memory.recall(246)).toBeNull()
  await rotateAnchorer({ rpcUrl, contract, account: anvilAccount() }, accountAddress(stranger))
  const next = await openEvmLedger({ rpcUrl, account: stranger, memory })
  expect(next.contract).toBe(contract)
  expect(await next.anchor(root(2), 2)).toMatchObject({ size: 2, contract })
})

test('a role that is handed on leaves the contract remembered, even when nobody had remembered it', async () => {
  const memory = contractFile(join(folder, 'handed-on.json'))
  const account = newAccount(4)
  const { rpcUrl } = chain
  for (const funded of [account, newAccount(5)])
    await chain.rpc('anvil_setBalance', accountAddress(funded), '0xde0b6b3a7640000')
  const { contract } = await openEvmLedger({ rpcUrl, account })
  const hand = () => rotateAnchorer({ rpcUrl, account, memory }, accountAddress(newAccount(5)))
  await hand()
  await hand()
  expect((await openEvmLedger({ rpcUrl, account: newAccount(5), memory })).contract).toBe(contract)
})

test('a contract that went with a private chain is put there anew and remembered', async () => {
  const memory = contractFile(join(folder, 'gone.json'))
  await memory.remember(31337, `0x${'55'.repeat(20)}`)
  const { contract } = await openEvmLedger({ rpcUrl: chain.rpcUrl, account: anvilAccount(), memory })
  expect(await memory.recall(31337)).toBe(contract)
})

test.each(['', '{"31337":', '[', '{"31337":"somewhere"}', 'null'])(
  'a damaged memory (%s) stops the start, as going on might split the log’s history',
  async (text) => {
    const path = join(folder, 'damaged.json')
    writeFileSync(path, text)
    const opening = openEvmLedger({ rpcUrl: chain.rpcUrl, account: anvilAccount(), memory: contractFile(path) })
    await expect(opening).rejects.toMatchObject({ code: 'invalid-configuration' })
    await expect(opening).rejects.toThrow('name the contract with LEDGER_CONTRACT')
  },
)
