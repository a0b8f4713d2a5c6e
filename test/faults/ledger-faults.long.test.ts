import { fromHex } from '@tillit/codec'
import { accountAddress, anvilAccount, openEvmLedger } from '@tillit/ledger'
import type { AnchorList } from '@tillit/schemas'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { openRegistryInUse, type RegistryInUse } from './registry-in-use.ts'
import type { RegistrySite } from './registry-site.ts'

let inUse: RegistryInUse
let site: RegistrySite
beforeAll(async () => {
  inUse = await openRegistryInUse()
  site = inUse.site
})
beforeEach(async () => {
  // Two anchors that nothing happens to stand before those of each test.
  for (let i = 0; i < 2; i++) {
    await grow()
    await inUse.expectWhole()
  }
})
afterAll(() => inUse.close())

/** Takes entries and publishes them; anchors nothing. */
async function grow(): Promise<void> {
  await inUse.work()
  await eventually(async () => {
    expect(await site.countWaiting()).toBe(0)
  })
}

const anchorNow = async () => {
  await inUse.running.registry.anchorNow()
  return inUse.running.registry.status()
}
const anchors = async () => (await inUse.running.get('/registry/anchors?limit=500')).json<AnchorList>().anchors
const block = async () => Number(await site.ledger.rpc('eth_blockNumber'))
const sent = async () =>
  Number(await site.ledger.rpc('eth_getTransactionCount', accountAddress(anvilAccount()), 'latest'))
const alarms = () => inUse.running.lines.filter(({ message }) => message.includes('lost anchors')).length

test.each(['refuse', 'lose answer'] as const)(
  'a ledger that is down for many intervals (%s) keeps nothing from the log, and one transaction catches up',
  async (fate) => {
    const before = await anchors()
    const sentBefore = await sent()
    site.ledger.fate = () => fate
    for (let interval = 1; interval <= 4; interval++) {
      await grow()
      const status = await anchorNow()
      expect(status.fault).not.toBeNull()
      expect(status.last_anchor?.size).toBe(before.at(-1)?.size)
      expect(status.unanchored?.entries).toBeGreaterThan(interval)
    }
    site.ledger.fate = () => 'pass'
    const { anchors: count } = await inUse.expectWhole()
    expect(count).toBe(before.length + 1)
    expect((await sent()) - sentBefore).toBe(1)
  },
)

test('a reorganisation that drops the newest anchors is told, and one transaction anchors the newest head again', async () => {
  const before = await anchors()
  const alarmsBefore = alarms()
  await site.ledger.rpc('anvil_reorg', 2, [])
  await grow()
  const { anchors: count } = await inUse.expectWhole()
  expect(alarms()).toBe(alarmsBefore + 1)
  expect(count).toBe(before.length - 2 + 1)
  expect((await anchors()).slice(0, -1)).toEqual(before.slice(0, -2))
})

test('a reorganisation that moves the newest anchor into another block costs nothing, and its block is told anew', async () => {
  const before = await anchors()
  const [newest] = before.slice(-1)
  const raw = await site.ledger.rpc<string>('eth_getRawTransactionByHash', newest?.transaction)
  const sentBefore = await sent()
  await site.ledger.rpc('anvil_reorg', 1, [])
  await site.ledger.rpc('evm_mine')
  await site.ledger.rpc('eth_sendRawTransaction', raw)
  await inUse.expectWhole()
  expect(await sent()).toBe(sentBefore)
  const after = await anchors()
  expect(after.map(({ size, transaction }) => ({ size, transaction }))).toEqual(
    before.map(({ size, transaction }) => ({ size, transaction })),
  )
  expect(after.at(-1)?.block_number).toBe(await block())
})

test('a reorganisation that brings the newest head by another transaction leaves the older anchors as they are', async () => {
  const before = await anchors()
  const [newest] = before.slice(-1)
  await site.ledger.rpc('anvil_reorg', 1, [])
  // As one that was sent again at another price, while nobody looked.
  await site.ledger.rpc('anvil_setNextBlockBaseFeePerGas', '0x77359400')
  await site.ledger.rpc('evm_mine')
  const account = await openEvmLedger({ rpcUrl: site.anvil.rpcUrl, account: anvilAccount() })
  const again = await account.anchor(fromHex(newest?.root ?? ''), newest?.size ?? 0)
  expect(again.transaction).not.toBe(newest?.transaction)
  await grow()
  const { anchors: count } = await inUse.expectWhole()
  expect(count).toBe(before.length + 1)
  expect((await anchors()).slice(0, -2)).toEqual(before.slice(0, -1))
  expect((await anchors()).at(-2)?.transaction).toBe(again.transaction)
})

test('a node that has fallen behind shows an older size; when it keeps up again every anchor is there', async () => {
  const before = await anchors()
  const sentBefore = await sent()
  site.ledger.newestBlock = (await block()) - 2
  const behind = await anchorNow()
  expect(behind.last_anchor?.size).toBe(before.at(-3)?.size)
  await grow()
  await anchorNow()
  site.ledger.newestBlock = null
  const { anchors: count } = await inUse.expectWhole()
  expect(count).toBe(before.length + 1)
  expect((await anchors()).slice(0, -1)).toEqual(before)
  expect((await sent()) - sentBefore).toBe(1)
})

test('a ledger of which every other answer is by a node that has fallen behind keeps every anchor in the end', async () => {
  const before = await anchors()
  const newestBlock = (await block()) - 2
  let calls = 0
  for (const every of [2, 3, 5]) {
    site.ledger.fate = () => {
      site.ledger.newestBlock = ++calls % every === 0 ? null : newestBlock
      return 'pass'
    }
    await grow()
    await anchorNow()
  }
  site.ledger.fate = () => 'pass'
  site.ledger.newestBlock = null
  await inUse.expectWhole()
  expect((await anchors()).slice(0, before.length)).toEqual(before)
})
