import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex } from '@tillit/codec'
import { addToOutbox, type TestDatabase, testDatabase } from '@tillit/database'
import { secp256k1SignerFromPrivateKey } from '@tillit/keys'
import {
  type AnchoredHead,
  type Anvil,
  accountAddress,
  type EvmLedgerOptions,
  type Ledger,
  openEvmLedger,
  startAnvil,
} from '@tillit/ledger'
import { Problem } from '@tillit/problem'
import type { AnchorList, LedgerStatus } from '@tillit/schemas'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RegistryPorts, RegistryTables } from './index.ts'
import { eventually, recordingLogger, testRegistry } from './registry.fixture.ts'

let folder: string
let anvil: Anvil
let database: TestDatabase
const cities: Awaited<ReturnType<typeof testRegistry>>[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'registry-ledger-'))
  anvil = await startAnvil({ dataDir: folder })
})
afterAll(async () => {
  await anvil.stop()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  database = await testDatabase()
})
afterEach(async () => {
  for (const { registry, app } of cities.splice(0)) {
    await registry.stop()
    await app.close()
  }
  await database.drop()
})

/** A city with a contract of its own, so that the tests share one chain. */
async function open(
  options: Partial<EvmLedgerOptions> = {},
  wrap = (ledger: Ledger) => ledger,
  ports: Partial<RegistryPorts> = {},
) {
  const { lines, logger } = recordingLogger()
  const account = await newAccount()
  const city = await testRegistry(database, {
    ledger: async () =>
      wrap(await openEvmLedger({ rpcUrl: anvil.rpcUrl, timeoutMs: 2000, patienceMs: 1000, account, ...options })),
    anchorIntervalSeconds: 3600,
    logger,
    ...ports,
  })
  cities.push(city)
  city.registry.start()
  // The round that the start itself makes is over, so the test counts its own.
  await city.registry.anchorNow()
  const status = async () => (await city.get('/registry/ledger')).json<LedgerStatus>()
  /** Grows the log by one entry and waits until that is published. */
  const grow = async () => {
    const before = (await status()).latest_checkpoint?.size ?? 0
    const commitment = crypto.getRandomValues(new Uint8Array(32))
    await addToOutbox(database.connect<RegistryTables>('registry'), 'registry', { kind: 'did', commitment })
    return eventually(async () => {
      const { latest_checkpoint } = await status()
      expect(latest_checkpoint?.size).toBeGreaterThan(before)
      return latest_checkpoint?.size ?? 0
    })
  }
  const anchors = async () => (await city.get('/registry/anchors')).json<AnchorList>().anchors
  return { city, lines, status, grow, anchors, account }
}

let accounts = 0
/** An account with coins for each test: the contract of an account is found again by it. */
async function newAccount() {
  const account = secp256k1SignerFromPrivateKey(new Uint8Array(32).fill(++accounts))
  await rpc('anvil_setBalance', [accountAddress(account), '0x56bc75e2d63100000'])
  return account
}

async function rpc<T>(method: string, params: unknown[] = []): Promise<T> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const reply = await fetch(anvil.rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return ((await reply.json()) as { result: T }).result
}

const transactionsOf = async (account: Parameters<typeof accountAddress>[0]) =>
  Number(await rpc<string>('eth_getTransactionCount', [accountAddress(account), 'latest']))

test('what is published and not anchored yet is told, and since when', async () => {
  const { city, status, grow } = await open()
  await grow()
  const { latest_checkpoint: first } = await status()
  await grow()
  expect(await status()).toMatchObject({ unanchored: { entries: 2, since: first?.published_at }, last_anchor: null })
  await city.registry.anchorNow()
  const anchored = await status()
  expect(anchored).toMatchObject({ unanchored: null, fault: null, last_anchor: { size: 2 } })
  expect(BigInt(anchored.last_anchor_cost?.fee_wei ?? 0)).toBeGreaterThan(0n)
  expect(anchored.last_anchor_cost?.gas_used).toBeGreaterThan(21_000)
})

test('however much was published meanwhile, one transaction catches up', async () => {
  const { city, status, grow, anchors, account } = await open()
  await grow()
  await city.registry.anchorNow()
  const before = await transactionsOf(account)
  for (let i = 0; i < 3; i++) await grow()
  await city.registry.anchorNow()
  await city.registry.anchorNow()
  expect((await transactionsOf(account)) - before).toBe(1)
  expect((await anchors()).map(({ size }) => size)).toEqual([1, 4])
  expect((await status()).unanchored).toBeNull()
})

test('a ledger that was set back is told, and holds the log again after one transaction', async () => {
  const { city, lines, status, grow, anchors, account } = await open()
  await grow()
  await city.registry.anchorNow()
  const snapshot = await rpc<string>('evm_snapshot')
  await grow()
  await city.registry.anchorNow()
  const lost = await anchors()
  expect(lost.map(({ size }) => size)).toEqual([1, 2])
  await rpc('evm_revert', [snapshot])
  const before = await transactionsOf(account)
  await grow()
  await city.registry.anchorNow()
  expect(lines.filter(({ message }) => message.includes('lost anchors')).length).toBe(1)
  expect((await anchors()).map(({ size }) => size)).toEqual([1, 3])
  expect((await transactionsOf(account)) - before).toBe(1)
  expect((await status()).fault).toBeNull()
})

test('an anchor that came again by another transaction hides none of those before it', async () => {
  const { city, grow, anchors, account } = await open()
  for (let i = 0; i < 3; i++) {
    await grow()
    await city.registry.anchorNow()
  }
  const before = await anchors()
  await rpc('anvil_reorg', [1, []])
  await rpc('anvil_setNextBlockBaseFeePerGas', ['0x77359400'])
  await rpc('evm_mine')
  const outside = await openEvmLedger({ rpcUrl: anvil.rpcUrl, account })
  const again = await outside.anchor(fromHex(before[2]?.root ?? ''), 3)
  expect(again.transaction).not.toBe(before[2]?.transaction)
  await grow()
  await city.registry.anchorNow()
  expect((await anchors()).slice(0, 2)).toEqual(before.slice(0, 2))
  expect((await anchors()).map(({ size }) => size)).toEqual([1, 2, 3, 4])
})

test('anchors that a node did not show while it had fallen behind are taken back when it shows them again', async () => {
  let behind = false
  const lagging = (ledger: Ledger): Ledger =>
    new Proxy(ledger, {
      get: (target, name: keyof Ledger) => {
        if (!behind) return target[name]
        if (name === 'latest') return () => target.find(1)
        if (name === 'confirm')
          return async (transaction: string) => {
            const found = await target.confirm(transaction)
            return found?.size === 1 ? found : null
          }
        return name === 'anchor' ? () => Promise.reject(new Problem('ledger-unavailable')) : target[name]
      },
    })
  const { city, grow, anchors } = await open({}, lagging)
  for (let i = 0; i < 4; i++) {
    await grow()
    await city.registry.anchorNow()
  }
  const before = await anchors()
  behind = true
  await city.registry.anchorNow()
  expect((await anchors()).map(({ size }) => size)).toEqual([1])
  behind = false
  await city.registry.anchorNow()
  expect(await anchors()).toEqual(before)
})

test('an anchor that would cost more than it may is not sent, and the log goes on', async () => {
  const dear = await open({ maxFeeWei: 1n })
  await dear.grow()
  await dear.city.registry.anchorNow()
  const status = await dear.status()
  expect(status.fault).toMatch(/cost|fee/i)
  expect(status.last_anchor).toBeNull()
  expect(await dear.grow()).toBe(2)
})

test('an anchor counts once it is confirmed, and waiting for that costs no second one', async () => {
  const { city, status, grow, anchors, account } = await open({ confirmations: 4 })
  await grow()
  await city.registry.anchorNow()
  const sent = await transactionsOf(account)
  expect(await anchors()).toEqual([])
  expect(await status()).toMatchObject({ confirmations: 4, unanchored: { entries: 1 } })
  expect((await status()).fault).toContain('not confirmed')
  await rpc('anvil_mine', ['0x8'])
  await city.registry.anchorNow()
  expect((await anchors()).map(({ size }) => size)).toEqual([1])
  expect(await status()).toMatchObject({ unanchored: null, fault: null })
  expect(await transactionsOf(account)).toBe(sent)
})

test.each(['failed', 'failed but persisted'])('an anchor that %s is there once in the end', async (how) => {
  let faults = 2
  const failing = (ledger: Ledger): Ledger =>
    new Proxy(ledger, {
      get: (target, name: keyof Ledger) =>
        name !== 'anchor' || faults === 0
          ? target[name]
          : async (root: Uint8Array, size: number) => {
              faults--
              if (how === 'failed but persisted') await target.anchor(root, size)
              throw new Problem('ledger-unavailable', { detail: 'The answer was lost' })
            },
    })
  const { city, status, grow, anchors, account } = await open({}, failing)
  await grow()
  await city.registry.anchorNow()
  const before = await transactionsOf(account)
  await grow()
  await city.registry.anchorNow()
  await grow()
  await city.registry.anchorNow()
  expect((await anchors()).at(-1)?.size).toBe(3)
  expect(await status()).toMatchObject({ fault: null, unanchored: null })
  expect((await transactionsOf(account)) - before).toBe(how === 'failed' ? 1 : 2)
})

/** Shows the ledger with another newest head while there is one. */
function contradicting() {
  const state: { head: AnchoredHead | null } = { head: null }
  const wrap = (ledger: Ledger): Ledger =>
    new Proxy(ledger, {
      get: (target, name: keyof Ledger) =>
        name === 'latest' && state.head !== null ? async () => state.head : target[name],
    })
  return { state, wrap }
}

describe('a log that the ledger contradicts', () => {
  test.each([
    ['holds another root', 1],
    ['is larger', 5000],
  ])('(the one there %s) signs and publishes nothing until the ledger agrees again', async (_, size) => {
    const { state, wrap } = contradicting()
    const { city, status, grow } = await open({}, wrap)
    await grow()
    await city.registry.anchorNow()
    state.head = { size, root: new Uint8Array(32).fill(9) }
    await city.registry.anchorNow()
    const commitment = crypto.getRandomValues(new Uint8Array(32))
    await addToOutbox(database.connect<RegistryTables>('registry'), 'registry', { kind: 'did', commitment })
    await eventually(async () => {
      const { sequencing_fault, publishing_fault } = await city.registry.status()
      expect([sequencing_fault, publishing_fault]).toEqual(Array(2).fill(expect.stringContaining('is not ours')))
    })
    expect(await status()).toMatchObject({ signed_size: 1, latest_checkpoint: { size: 1 } })
    state.head = null
    await city.registry.anchorNow()
    await eventually(async () =>
      expect(await status()).toMatchObject({ latest_checkpoint: { size: 2 }, publishing_fault: null, fault: null }),
    )
  })

  test('is compared with it before anything is signed after a start', async () => {
    const { state, wrap } = contradicting()
    state.head = { size: 3, root: new Uint8Array(32).fill(9) }
    const commitment = crypto.getRandomValues(new Uint8Array(32))
    await addToOutbox(database.connect<RegistryTables>('registry'), 'registry', { kind: 'did', commitment })
    const { city, status } = await open({}, wrap)
    await eventually(async () =>
      expect((await city.registry.status()).sequencing_fault).toContain('a log of 3 entries that is not ours'),
    )
    expect(await status()).toMatchObject({ signed_size: 0, latest_checkpoint: null })
  })

  test('goes on when it only is smaller than on the embedded ledger, which tells so', async () => {
    const { state, wrap } = contradicting()
    const { city, status, grow } = await open({}, wrap, { ledgerEmbedded: true })
    state.head = { size: 5000, root: new Uint8Array(32).fill(9) }
    await city.registry.anchorNow()
    expect(await grow()).toBe(1)
    expect(await status()).toMatchObject({ fault: expect.stringContaining('not ours'), publishing_fault: null })
  })
})

test('a ledger that never answers does not keep the log from being published', async () => {
  const city = await testRegistry(database, {
    ledger: () => new Promise<Ledger>((_, reject) => stopping.signal.addEventListener('abort', () => reject(stopped))),
  })
  const stopping = new AbortController()
  const stopped = new Problem('ledger-unavailable')
  cities.push(city)
  city.registry.start()
  const commitment = crypto.getRandomValues(new Uint8Array(32))
  await addToOutbox(database.connect<RegistryTables>('registry'), 'registry', { kind: 'did', commitment })
  await eventually(async () => expect((await city.registry.status()).latest_checkpoint?.size).toBe(1))
  stopping.abort()
})
