import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

test('without a word about the ledger it is the embedded one', () => {
  expect(readConfig({})).toMatchObject({
    ledgerChain: null,
    ledgerRpcUrl: null,
    ledgerContract: null,
    ledgerConfirmations: null,
    ledgerMaxFeeWei: null,
  })
})

test('a ledger is named by its chain; node, confirmations and the most that an anchor may cost are optional', () => {
  const env = {
    LEDGER_CHAIN: 'energy-web',
    LEDGER_RPC_URL: 'https://node.example/v3/key',
    LEDGER_CONFIRMATIONS: '20',
    LEDGER_MAX_FEE: '0.05',
  }
  expect(readConfig(env)).toMatchObject({
    ledgerChain: 'energy-web',
    ledgerRpcUrl: 'https://node.example/v3/key',
    ledgerConfirmations: 20,
    ledgerMaxFeeWei: 50_000_000_000_000_000n,
  })
})

test.each([
  ['1', 1_000_000_000_000_000_000n],
  ['1.5', 1_500_000_000_000_000_000n],
  ['0.000000000000000001', 1n],
])('%s coins are %s of the smallest unit', (given, wei) => {
  expect(readConfig({ LEDGER_CHAIN: 'iota-evm', LEDGER_MAX_FEE: given }).ledgerMaxFeeWei).toBe(wei)
})

test.each([
  [
    { LEDGER_CHAIN: 'ethereum' },
    'LEDGER_CHAIN must be one of iota-evm, iota-evm-testnet, energy-web, energy-web-volta',
  ],
  [{ LEDGER_CHAIN: 'toString' }, 'LEDGER_CHAIN must be one of'],
  [{ LEDGER_RPC_URL: 'ws://node' }, 'LEDGER_RPC_URL must start with'],
  [{ LEDGER_CONFIRMATIONS: '0' }, 'LEDGER_CONFIRMATIONS must be a whole number from 1 to 1000'],
  [{ LEDGER_CONFIRMATIONS: 'many' }, 'LEDGER_CONFIRMATIONS must be a whole number'],
  [{ LEDGER_MAX_FEE: '0' }, 'LEDGER_MAX_FEE must be an amount'],
  [{ LEDGER_MAX_FEE: '-1' }, 'LEDGER_MAX_FEE must be an amount'],
  [{ LEDGER_MAX_FEE: '1e3' }, 'LEDGER_MAX_FEE must be an amount'],
  [{ LEDGER_MAX_FEE: '0.0000000000000000001' }, 'LEDGER_MAX_FEE must be an amount'],
  [{ LEDGER_CONTRACT: '0x12' }, 'LEDGER_CONTRACT must be 0x and 40 hexadecimal digits'],
])('%o is refused by its name', (env, words) => {
  expect(() => readConfig({ LEDGER_RPC_URL: 'http://127.0.0.1:8545', ...env })).toThrow(words)
})

test('what is said of an outside ledger is not left unheard when there is none', () => {
  expect(() => readConfig({ LEDGER_MAX_FEE: '1' })).toThrow('LEDGER_MAX_FEE is for an outside ledger')
  expect(() => readConfig({ LEDGER_CONTRACT: `0x${'11'.repeat(20)}` })).toThrow('LEDGER_CONTRACT is for an outside')
})
