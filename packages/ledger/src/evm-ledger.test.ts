import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '@tillit/problem'
import { createWalletClient, type Hex, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anchorAbi } from './anchor-abi.ts'
import type { Ledger } from './ledger.ts'
import { openEvmLedger } from './open-evm-ledger.ts'
import { readAnchor } from './read-anchor.ts'
import { type Anvil, anvilPrivateKey, startAnvil } from './start-anvil.ts'

/** The second development account of anvil: a stranger to our contract. */
const strangerKey = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d'

const dataDir = mkdtempSync(join(tmpdir(), 'ledger-'))
let anvil: Anvil
let ledger: Ledger
beforeAll(async () => {
  anvil = await startAnvil({ dataDir })
  ledger = await openEvmLedger({ rpcUrl: anvil.rpcUrl, privateKey: anvilPrivateKey })
})
afterAll(async () => {
  await anvil.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const root = (byte: number) => new Uint8Array(32).fill(byte)

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

  test('takes heads from its anchorer only, and the role can be handed on and back', async () => {
    const { rpcUrl, contract } = ledger
    const stranger = () => openEvmLedger({ rpcUrl, contract, privateKey: strangerKey })
    await expect(stranger()).rejects.toMatchObject({ code: 'invalid-configuration' })
    await rotate(anvilPrivateKey, privateKeyToAccount(strangerKey).address)
    await expect(ledger.anchor(root(5), 20)).rejects.toBeInstanceOf(Problem)
    const next = await stranger()
    expect((await next.anchor(root(5), 20)).contract).toBe(contract)
    await rotate(strangerKey, privateKeyToAccount(anvilPrivateKey).address)
    expect((await ledger.anchor(root(6), 21)).size).toBe(21)
  })

  test('is found again, not deployed again, by the next start', async () => {
    const again = await openEvmLedger({ rpcUrl: anvil.rpcUrl, privateKey: anvilPrivateKey })
    expect(again.contract).toBe(ledger.contract)
  })
})

describe('reading an anchor', () => {
  test('ignores the same event of another contract', async () => {
    const { rpcUrl } = ledger
    const other = await openEvmLedger({ rpcUrl, privateKey: strangerKey })
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
  const opening = openEvmLedger({ rpcUrl: 'http://127.0.0.1:9', privateKey: anvilPrivateKey, timeoutMs: 500 })
  await expect(opening).rejects.toMatchObject({ code: 'ledger-unavailable' })
})

test('closing ends a call that would wait on', async () => {
  const closed = await openEvmLedger({ rpcUrl: anvil.rpcUrl, privateKey: anvilPrivateKey })
  const call = closed.latest()
  await closed.close()
  await expect(call).rejects.toThrow('was closed')
})

test('a key that is none is refused without being shown', async () => {
  const opening = openEvmLedger({ rpcUrl: anvil.rpcUrl, privateKey: '0x5ec2e7' })
  await expect(opening).rejects.toMatchObject({ code: 'invalid-configuration' })
  await expect(opening).rejects.not.toThrow('5ec2e7')
})

async function rotate(from: Hex, to: Hex): Promise<void> {
  const wallet = createWalletClient({ account: privateKeyToAccount(from), transport: http(anvil.rpcUrl) })
  const address = ledger.contract as Hex
  await wallet.writeContract({ address, abi: anchorAbi, functionName: 'rotateAnchorer', args: [to], chain: null })
}
