import { secp256k1SignerFromPrivateKey } from '@tillit/keys'
import { hexToBytes, parseTransaction, recoverTransactionAddress, type TransactionSerializedLegacy } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, test } from 'vitest'
import { accountAddress, signTransaction } from './evm-account.ts'
import { newAccount } from './ledger.fixture.ts'

// The example of EIP-155.
const secret = `0x${'46'.repeat(32)}` as const
const example = {
  nonce: 9,
  gasPrice: 20_000_000_000n,
  gas: 21_000n,
  chainId: 1,
  data: '0x',
  to: `0x${'35'.repeat(20)}`,
} as const
const account = secp256k1SignerFromPrivateKey(hexToBytes(secret))

test('the address of an account is that which Ethereum derives from its key', () => {
  expect(accountAddress(account)).toBe(privateKeyToAccount(secret).address)
})

test('a transaction is signed for its chain, as EIP-155 says', async () => {
  const raw = await signTransaction(account, example)
  expect(raw).toBe(await privateKeyToAccount(secret).signTransaction({ ...example, type: 'legacy' }))
  expect(parseTransaction(raw)).toMatchObject({ type: 'legacy', chainId: 1, nonce: 9 })
  const signed = { serializedTransaction: raw as TransactionSerializedLegacy }
  expect(await recoverTransactionAddress(signed)).toBe(accountAddress(account))
})

test('a signer that signs with another key than it shows is found out before a node sees it', async () => {
  const torn = { ...account, publicKey: newAccount(3).publicKey }
  await expect(signTransaction(torn, example)).rejects.toMatchObject({ code: 'invalid-configuration' })
})
