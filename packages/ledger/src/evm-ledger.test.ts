import { Problem } from '@tillit/problem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accountAddress } from './evm-account.ts'
import { newAccount, root, stranger, type TestChain, testChain } from './ledger.fixture.ts'
import type { Ledger } from './ledger.ts'
import { measureAnchorGas } from './measure-anchor-gas.ts'
import { openEvmLedger } from './open-evm-ledger.ts'
import { readAnchor } from './read-anchor.ts'
import { readAnchorContract } from './read-anchor-contract.ts'
import { rotateAnchorer } from './rotate-anchorer.ts'
import { mostAnchorGas } from './send-transaction.ts'
import { anvilAccount } from './start-anvil.ts'

let chain: TestChain
let ledger: Ledger
beforeAll(async () => {
  chain = await testChain()
  ledger = await openEvmLedger({ rpcUrl: chain.rpcUrl, account: anvilAccount() })
})
afterAll(() => chain.stop())

describe('the anchor contract', () => {
  test('holds nothing at first', async () => {
    expect(await ledger.latest()).toBeNull()
    expect(await ledger.find(1)).toBeNull()
  })

  test('takes a head and gives it back by size, by transaction and as the latest', async () => {
    const record = await ledger.anchor(root(1), 5)
    expect(record).toMatchObject({ size: 5, root: root(1), chainId: 31337, contract: ledger.contract })
    expect(await ledger.latest()).toEqual({ size: 5, root: root(1) })
    expect(await ledger.find(5)).toEqual(record)
    expect(await ledger.confirm(record.transaction)).toEqual(record)
    expect(await ledger.confirm(`0x${'11'.repeat(32)}`)).toBeNull()
    const { rpcUrl, contract } = ledger
    expect(await readAnchor({ rpcUrl, contract, anchor: { transaction: record.transaction } })).toEqual(record)
    expect(await readAnchor({ rpcUrl, contract, anchor: { size: 5 } })).toEqual(record)
  })

  test('takes the same head again without another transaction', async () => {
    const first = await ledger.anchor(root(2), 6)
    expect(await ledger.anchor(root(2), 6)).toEqual(first)
  })

  test('refuses a smaller log and another root at the same size', async () => {
    await ledger.anchor(root(3), 10)
    await expect(ledger.anchor(root(4), 9)).rejects.toMatchObject({ code: 'anchor-mismatch' })
    await expect(ledger.anchor(root(4), 10)).rejects.toThrow('a log of 10 entries already')
    expect(await ledger.latest()).toEqual({ size: 10, root: root(3) })
  })

  test('takes heads from its anchorer only; handed on, the old account is refused and the new one goes on', async () => {
    const { rpcUrl, contract } = ledger
    const next = () => openEvmLedger({ rpcUrl, contract, account: stranger })
    await expect(next()).rejects.toMatchObject({ code: 'invalid-configuration' })
    await rotateAnchorer({ rpcUrl, contract, account: anvilAccount() }, accountAddress(stranger))
    await expect(ledger.anchor(root(5), 20)).rejects.toBeInstanceOf(Problem)
    await expect(openEvmLedger({ rpcUrl, contract, account: anvilAccount() })).rejects.toThrow('Another account')
    expect(await (await next()).anchor(root(5), 20)).toMatchObject({ size: 20, contract })
    expect(await readAnchorContract({ rpcUrl, contract })).toMatchObject({
      chainId: 31337,
      chainName: 'private chain 31337',
      anchorer: accountAddress(stranger),
      latest: { size: 20, root: root(5) },
    })
    await rotateAnchorer({ rpcUrl, contract, account: stranger }, accountAddress(anvilAccount()))
    expect((await ledger.anchor(root(6), 21)).size).toBe(21)
  })

  test('is handed on once, however often that is asked, and to nobody who could not pay', async () => {
    const { rpcUrl, contract, anchorer } = ledger
    const before = await chain.sent(anchorer)
    const hand = (to: string) => rotateAnchorer({ rpcUrl, contract, account: anvilAccount() }, to)
    await hand(anchorer)
    await expect(hand(accountAddress(newAccount(7)))).rejects.toThrow('has too little coin to pay for an anchor')
    for (const to of ['nobody', `0x${'00'.repeat(20)}`]) await expect(hand(to)).rejects.toThrow('is not an address')
    await expect(rotateAnchorer({ rpcUrl, contract, account: stranger }, accountAddress(stranger))).rejects.toThrow(
      'This account does not anchor',
    )
    expect(await chain.sent(anchorer)).toBe(before)
  })

  test('is found again, not deployed again, by the next start', async () => {
    const again = await openEvmLedger({ rpcUrl: chain.rpcUrl, account: anvilAccount() })
    expect(again.contract).toBe(ledger.contract)
  })
})

describe('reading an anchor', () => {
  test('ignores the same event of another contract', async () => {
    const { rpcUrl } = ledger
    const other = await openEvmLedger({ rpcUrl, account: stranger })
    expect(other.contract).not.toBe(ledger.contract)
    const { transaction } = await other.anchor(root(9), 900)
    const reading = readAnchor({ rpcUrl, contract: ledger.contract, anchor: { transaction } })
    await expect(reading).rejects.toMatchObject({ code: 'anchor-mismatch' })
  })

  test('refuses a transaction that does not exist, is none, or a contract that is no address', async () => {
    const { rpcUrl, contract } = ledger
    for (const transaction of [`0x${'11'.repeat(32)}`, '0x11', 'nonsense']) {
      const reading = readAnchor({ rpcUrl, contract, anchor: { transaction } })
      await expect(reading).rejects.toMatchObject({ code: 'anchor-mismatch' })
    }
    const reading = readAnchor({ rpcUrl, contract: 'nowhere', anchor: { size: 5 } })
    await expect(reading).rejects.toMatchObject({ code: 'anchor-mismatch' })
  })
})

test('a chain that does not answer is a problem that says so', async () => {
  const opening = openEvmLedger({ rpcUrl: 'http://127.0.0.1:9', account: anvilAccount(), timeoutMs: 500 })
  await expect(opening).rejects.toMatchObject({ code: 'ledger-unavailable' })
})

test('closing ends a call that would wait on', async () => {
  const closed = await openEvmLedger({ rpcUrl: chain.rpcUrl, account: anvilAccount() })
  const call = closed.latest()
  await closed.close()
  await expect(call).rejects.toThrow('was closed')
})

test('it tells what it is, who anchors and where a transaction can be looked at', () => {
  expect(ledger).toMatchObject({
    chainName: 'private chain 31337',
    coin: 'coin',
    anchorer: accountAddress(anvilAccount()),
    confirmations: 1,
    maxFeeWei: null,
  })
  expect(ledger.explorerUrl(`0x${'11'.repeat(32)}`)).toBeNull()
})

test('an anchor costs the same gas however large the log is, and less than what is allowed for', async () => {
  const account = newAccount(8)
  await chain.rpc('anvil_setBalance', accountAddress(account), '0xde0b6b3a7640000')
  const fresh = await openEvmLedger({ rpcUrl: chain.rpcUrl, account })
  const [first, ...later] = await measureAnchorGas(fresh, [10_000, 20_000, 1_000_000, 10_000_000_000])
  // The first writes into an empty slot; the others differ by the zero bytes of the size.
  expect(first?.gasUsed).toBeLessThan(Number(mostAnchorGas))
  const gas = later.map(({ gasUsed }) => gasUsed)
  expect(Math.max(...gas)).toBeLessThan(35_000)
  expect(Math.max(...gas) - Math.min(...gas)).toBeLessThan(200)
})
