import { parseEther, toHex } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accountAddress } from './evm-account.ts'
import { newAccount, root, type TestChain, testChain } from './ledger.fixture.ts'
import { type EvmLedgerOptions, openEvmLedger } from './open-evm-ledger.ts'

const [first, second, third] = [newAccount(1), newAccount(2), newAccount(3)]
const fund = (account: typeof first) => chain.rpc('anvil_setBalance', accountAddress(account), toHex(parseEther('1')))
const open = (options: Pick<EvmLedgerOptions, 'account' | 'formerAccounts'>) =>
  openEvmLedger({ rpcUrl: chain.rpcUrl, ...options })

let chain: TestChain
beforeAll(async () => {
  chain = await testChain()
})
afterAll(() => chain.stop())

test('a rotated key takes the role over as soon as its account can pay, and until then the former anchors on', async () => {
  await fund(first)
  const { contract } = await open({ account: first })
  const rotated = { account: second, formerAccounts: [first] }
  const waiting = await open(rotated)
  expect(waiting).toMatchObject({ contract, anchorer: accountAddress(first) })
  expect(await waiting.anchor(root(1), 1)).toMatchObject({ size: 1 })
  await fund(second)
  const over = await open(rotated)
  expect(over).toMatchObject({ contract, anchorer: accountAddress(second) })
  expect(await over.anchor(root(2), 2)).toMatchObject({ size: 2 })
  // Whoever opened it before the hand-over goes on with the new account too.
  expect(await waiting.anchor(root(3), 3)).toMatchObject({ size: 3 })
  expect(waiting.anchorer).toBe(accountAddress(second))
  // Rotated once more, before the first was forgotten.
  await fund(third)
  const again = { account: third, formerAccounts: [second, first] }
  const before = await chain.sent(accountAddress(second))
  expect((await open(again)).anchorer).toBe(accountAddress(third))
  expect((await open(again)).anchorer).toBe(accountAddress(third))
  expect((await chain.sent(accountAddress(second))) - before).toBe(1)
})

test('a role that none of the accounts has is not taken', async () => {
  await fund(second)
  const stranger = newAccount(9)
  await fund(stranger)
  const { contract } = await open({ account: stranger })
  const opening = openEvmLedger({ rpcUrl: chain.rpcUrl, contract, account: second, formerAccounts: [first] })
  await expect(opening).rejects.toThrow('Another account anchors')
})
