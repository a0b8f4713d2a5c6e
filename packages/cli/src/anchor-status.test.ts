import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@tillit/codec'
import { type AnchorRecord, type Anvil, anvilAccount, type Ledger, openEvmLedger, startAnvil } from '@tillit/ledger'
import type { LedgerStatus } from '@tillit/schemas'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { anchorStatus, anchorUsage } from './anchor-status.ts'

const folder = mkdtempSync(join(tmpdir(), 'anchor-status-'))
const root = new Uint8Array(32).fill(7)
let anvil: Anvil
let ledger: Ledger
let record: AnchorRecord
let server: Server
let honest: LedgerStatus
/** What the city answers; each test starts from the truth. */
let answer: () => unknown
let lines: string[]

beforeAll(async () => {
  anvil = await startAnvil({ dataDir: folder })
  ledger = await openEvmLedger({ rpcUrl: anvil.rpcUrl, account: anvilAccount(), maxFeeWei: 50_000_000_000_000_000n })
  record = await ledger.anchor(root, 1200)
  server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const now = new Date().toISOString()
  honest = {
    kind: 'evm',
    chain_id: ledger.chainId,
    chain_name: ledger.chainName,
    coin: 'IOTA',
    contract: ledger.contract,
    anchorer: ledger.anchorer,
    confirmations: 1,
    max_fee_wei: '50000000000000000',
    rpc_url: anvil.rpcUrl,
    last_anchor: {
      chain_id: record.chainId,
      contract: record.contract,
      transaction: record.transaction,
      block_number: record.blockNumber,
      size: record.size,
      root: toHex(record.root),
      anchored_at: record.anchoredAt.toISOString(),
    },
    last_anchor_cost: { gas_used: 34_000, fee_wei: '68000000000000' },
    last_anchor_url: 'https://explorer.example/tx/0x1',
    latest_checkpoint: { size: 1234, root: '00'.repeat(32), signed_at: now, published_at: now },
    signed_size: 1234,
    unanchored: { entries: 34, since: now },
    fault: null,
    publishing_fault: null,
    self_witnessed: true,
    log_vkeys: ['city.example/log+0a0b0c0d+AbC'],
  }
})
afterAll(async () => {
  server.close()
  await anvil.stop()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  answer = () => honest
  lines = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
})
afterEach(() => vi.restoreAllMocks())

function status(...args: string[]): Promise<number> {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return anchorStatus(['status', '--city', `http://127.0.0.1:${address.port}`, ...args])
}

async function faultsOf(...args: string[]): Promise<string[]> {
  expect(await status('--json', ...args)).toBe(1)
  return (JSON.parse(lines.join('')) as { faults: string[] }).faults
}

test('a city whose log is anchored is shown with its ledger, its costs and what waits', async () => {
  expect(await status()).toBe(0)
  const text = lines.join('\n')
  expect(text).toContain('published    1234 entries')
  expect(text).toContain(`anchored     1200 entries at ${record.anchoredAt.toISOString()}`)
  expect(text).toContain(`transaction  ${record.transaction} in block ${record.blockNumber}`)
  expect(text).toContain('https://explorer.example/tx/0x1')
  expect(text).toMatch(/34 entries unanchored for \d+ s/)
  expect(text).toContain('ledger       private chain 31337, chain id 31337')
  expect(text).toContain(`contract     ${ledger.contract}`)
  expect(text).toContain(`anchorer     ${ledger.anchorer}`)
  expect(text).toContain('counts after 1 block, may cost 0.05 IOTA at most')
  expect(text).toContain('the newest cost 0.000068 IOTA (34000 gas)')
  expect(text).toContain('✓ the ledger itself holds a log of 1200 entries, as the city says')
  expect(text).toContain('self-witnessed')
})

test('entries that have waited for longer than they may are a fault', async () => {
  const since = new Date(Date.now() - 3_600_000).toISOString()
  answer = () => ({ ...honest, unanchored: { entries: 34, since } })
  expect(await faultsOf()).toEqual(['34 entries have waited for their anchor for 60 min'])
  expect(await status('--within', '4000')).toBe(0)
})

test.each<[string, (told: LedgerStatus) => Partial<LedgerStatus>, string]>([
  [
    'shows a smaller log than is anchored',
    (told) => ({ latest_checkpoint: told.latest_checkpoint && { ...told.latest_checkpoint, size: 1100 } }),
    'holds a log of 1200 entries, and the city shows 1100',
  ],
  [
    'shows another root of what is anchored',
    (told) => ({ latest_checkpoint: told.latest_checkpoint && { ...told.latest_checkpoint, size: 1200 } }),
    'holds another root of 1200 entries',
  ],
  [
    'claims another root for its anchor',
    (told) => ({ last_anchor: told.last_anchor && { ...told.last_anchor, root: '11'.repeat(32) } }),
    'holds another head than the city shows',
  ],
  [
    'claims a larger anchor than there is',
    (told) => ({ last_anchor: told.last_anchor && { ...told.last_anchor, size: 1210 } }),
    'holds a log of 1200 entries, and the city says 1210',
  ],
  [
    'claims a transaction that is not there',
    (told) => ({ last_anchor: told.last_anchor && { ...told.last_anchor, transaction: `0x${'11'.repeat(32)}` } }),
    'holds no such anchor',
  ],
  ['names another chain', () => ({ chain_id: 8822 }), 'anchors on chain 8822, and the node serves chain 31337'],
  ['names another anchorer', () => ({ anchorer: `0x${'22'.repeat(20)}` }), 'the contract takes heads from'],
  ['names a contract that is none', () => ({ contract: `0x${'33'.repeat(20)}` }), 'is not the anchor contract'],
])('a city that %s is contradicted by the ledger', async (_what, lie, fault) => {
  answer = () => ({ ...honest, ...lie(honest) })
  expect((await faultsOf()).join('\n')).toContain(fault)
})

test('a contract that is not the trusted one is a fault, even when the city is consistent', async () => {
  expect((await faultsOf('--contract', `0x${'33'.repeat(20)}`)).join('\n')).toContain('than the one that is trusted')
})

test('a ledger that is out of reach is told and is not held against the city', async () => {
  expect(await status('--ledger', 'http://127.0.0.1:9')).toBe(0)
  expect(lines.join('\n')).toContain('the ledger itself was not asked: The ledger cannot be reached: no connection')
  answer = () => ({ ...honest, rpc_url: null })
  expect(await status()).toBe(0)
  expect(lines.join('\n')).toContain('give one with --ledger')
})

test('a city of another version, which says less or more, is understood', async () => {
  const { log_vkeys: _, ...older } = honest
  answer = () => ({ ...older, said_by_newer_cities: true })
  expect(await status()).toBe(0)
})

test('an anchor made between two looks at the city is no contradiction', async () => {
  const stale = {
    ...honest,
    latest_checkpoint: honest.latest_checkpoint && { ...honest.latest_checkpoint, size: 1100 },
  }
  const answers = [{ ...stale, last_anchor: null }, honest]
  answer = () => answers.shift()
  expect(await status()).toBe(0)
})

test('a city without a ledger says so, and an answer that is none is refused', async () => {
  answer = () => ({
    ...honest,
    ...{ kind: 'none', chain_id: null, chain_name: null, contract: null, anchorer: null, rpc_url: null },
    ...{ last_anchor: null, last_anchor_cost: null, last_anchor_url: null, fault: 'No ledger \u001b[31m' },
  })
  expect(await status()).toBe(0)
  const text = lines.join('\n')
  expect(text).toContain('ledger       the city has none')
  expect(text).toContain('✗ the city does not anchor: No ledger  [31m')
  answer = () => ({ kind: 'evm' })
  await expect(status()).rejects.toThrow('as this tillit expects')
})

test.each([[[]], [['show']], [['status', '--within', 'soon']]])(
  'called wrongly (%o), it says how it is called',
  async (args) => {
    await expect(anchorStatus(args)).rejects.toThrow(anchorUsage)
  },
)
