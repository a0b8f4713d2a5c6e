import { expect, test } from 'vitest'
import { chainOfId, explorerUrlOf, ledgerChains } from './ledger-chains.ts'

test('the chains that can be named have the ids that their networks publish', () => {
  expect(Object.entries(ledgerChains).map(([name, { id }]) => [name, id])).toEqual([
    ['iota-evm', 8822],
    ['iota-evm-testnet', 1076],
    ['energy-web', 246],
    ['energy-web-volta', 73799],
  ])
})

test('a transaction is shown where its chain has an explorer', () => {
  const transaction = `0x${'ab'.repeat(32)}`
  expect(explorerUrlOf(8822, transaction)).toBe(`https://explorer.evm.iota.org/tx/${transaction}`)
  expect(explorerUrlOf(31337, transaction)).toBeNull()
})

test('a chain that nobody named is known by its id', () => {
  expect(chainOfId(246).title).toBe('Energy Web Chain')
  expect(chainOfId(5)).toMatchObject({ title: 'private chain 5', confirmations: 1, rpcUrl: null })
})
