import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectCity } from '@tillit/client'
import { verifyReceipt } from '@tillit/log'
import type { Receipt } from '@tillit/schemas'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CityProcess, kill, openSite, type Site } from './city-process.ts'
import { eventually } from './eventually.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'
import { type Household, moveIn } from './household.ts'

const cli = fileURLToPath(new URL('../../packages/cli/bin/tillit.mjs', import.meta.url))
/** An anchoring interval, a call that times out, and some. */
const anchoredWithinSeconds = 75

let site: Site
let city: CityProcess
let household: Household
beforeEach(async () => {
  site = await openSite()
  city = site.start()
  await city.ready()
  household = await moveIn(city.url, site)
})
afterEach(async () => {
  await site.clear()
  expectNoIdentifiers(site.logs())
})

const ledgerFolder = () => join(site.dataDir, 'ledger')
const anvil = () => Number(readFileSync(join(ledgerFolder(), 'anvil.pid'), 'utf8'))
const ledgerFault = async () =>
  (await connectCity({ url: city.url }).get<{ fault: string | null }>('/registry/ledger')).fault

/** `npx tillit verify` on a receipt as a file. */
async function tillitVerify(receipt: Receipt, ...options: string[]): Promise<{ status: number | null; text: string }> {
  const file = join(site.dataDir, '..', 'receipt.json')
  await writeFile(file, JSON.stringify(receipt))
  const child = spawn(process.execPath, [cli, 'verify', file, ...options])
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk) => (text += chunk))
  return new Promise((done) => child.once('close', (status) => done({ status, text })))
}

async function newReceipt(): Promise<Receipt> {
  const { access_record: record } = await household.read()
  return eventually(async () => {
    const receipt = await household.proofOf(record)
    expect(receipt.leaf).not.toBeNull()
    return receipt
  })
}

/** Until the ledger itself confirms the receipt. */
async function anchored(receipt: Receipt): Promise<void> {
  await eventually(async () => {
    const { status, text } = await tillitVerify({ ...receipt, leaf: null })
    expect(text).toContain('✓ anchored')
    expect(status).toBe(0)
  }, anchoredWithinSeconds)
}

test('anvil killed again and again: reads go on, and what was read meanwhile is anchored in the end', async () => {
  await anchored(await newReceipt())
  const receipts: Receipt[] = []
  for (let round = 0; round < 3; round++) {
    kill(anvil(), 'SIGKILL')
    await household.publishDay()
    receipts.push(await newReceipt())
    await eventually(() => expect(city.stderr.match(/the embedded ledger is back/g)?.length).toBe(round + 1))
  }
  for (const receipt of receipts) await anchored(receipt)
  expect(await ledgerFault()).toBeNull()
  expect((await city.interrupt()).code).toBe(0)
  expect(site.processes()).toEqual([])
})

test('anvil frozen: reads and consents go on, verify says pending; thawed, it is anchored', async () => {
  await anchored(await newReceipt())
  kill(anvil(), 'SIGSTOP')
  const receipt = await newReceipt()
  expect(receipt.leaf?.anchor).toBeNull()
  const { status, text } = await tillitVerify(receipt)
  expect(text).toContain('anchor pending')
  expect(status).toBe(3)
  await eventually(async () => expect(await ledgerFault()).toContain('cannot be reached'), anchoredWithinSeconds)
  const began = performance.now()
  await household.publishDay()
  expect((await household.revoke()).state).toBe('REVOKED')
  expect(performance.now() - began).toBeLessThan(2000)
  kill(anvil(), 'SIGCONT')
  await anchored(receipt)
  expect(await ledgerFault()).toBeNull()
})

test('Ctrl-C with a frozen anvil ends everything in time', async () => {
  await anchored(await newReceipt())
  kill(anvil(), 'SIGSTOP')
  await newReceipt()
  // Until the anchorer is in the middle of asking.
  await city.says('anchoring: The ledger cannot be reached')
  const { code, milliseconds } = await city.interrupt()
  expect(code).toBe(0)
  expect(milliseconds).toBeLessThan(10_000)
  expect(site.processes()).toEqual([])
})

test('the ledger’s state turned to garbage while stopped: receipts stay true and are anchored anew', async () => {
  const receipt = await newReceipt()
  await anchored(receipt)
  const old = await household.proofOf(String(receipt.opening.entry.id))
  expect((await city.interrupt()).code).toBe(0)
  for (const name of ['state.json', 'state.previous.json']) await writeFile(join(ledgerFolder(), name), '{"accounts"')
  city = site.start()
  await city.ready()
  expect(city.stderr).toContain('the state of the ledger was damaged and put aside')
  expect((await readdir(ledgerFolder())).some((name) => name.includes('damaged'))).toBe(true)
  expect(verifyReceipt(old).anchored).not.toBeNull()
  await anchored(receipt)
  const renewed = await household.proofOf(String(receipt.opening.entry.id))
  // The same head may well give the same transaction again, but never the same block time.
  const time = ({ leaf }: Receipt) => Date.parse(leaf?.anchor?.anchored_at ?? '')
  expect(time(renewed)).toBeGreaterThan(time(old))
  expect(await ledgerFault()).toBeNull()
})
