import { fileURLToPath } from 'node:url'
import { toHex } from '@tillit/codec'
import { createProver, formatTlogProof, type ReadTiles, tilePath } from '@tillit/log'
import type { Receipt } from '@tillit/schemas'
import type { Browser, Page } from 'playwright-core'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { now, origin, startLyingLog } from '../../packages/client/src/audit/lying-log.fixture.ts'
import { launchBrowser } from './launch-browser.ts'

let log: Awaited<ReturnType<typeof startLyingLog>>
let browser: Browser
let page: Page

beforeAll(async () => {
  log = await startLyingLog()
  browser = await launchBrowser()
  page = await browser.newPage()
  await page.goto(log.url)
  await page.addScriptTag({ content: await bundleClient() })
})

afterAll(async () => {
  await browser?.close()
  await log?.stop()
})

/** What outsiders install, for a page: one script that sets `tillit`. */
async function bundleClient(): Promise<string> {
  const build = await rolldown({
    input: fileURLToPath(new URL('../../packages/client/src/index.ts', import.meta.url)),
    platform: 'browser',
    resolve: { conditionNames: ['browser', 'import', 'default'] },
  })
  try {
    const { output } = await build.generate({ format: 'iife', name: 'tillit' })
    const [script] = output
    // Whatever is left of Node would fail in the page, or be fetched from somewhere.
    expect(script.imports).toEqual([])
    return script.code
  } finally {
    await build.close()
  }
}

/** The receipt of a public entry, as the city would give it. */
async function receiptOf(at: number): Promise<Receipt> {
  const opening = log.openings[at]
  if (opening === undefined) throw new Error('the log has no such opening')
  const { index, entry, salt, commitment } = opening
  const readTiles: ReadTiles = async (tiles) =>
    tiles.map((tile) => log.answer(`/log/${tilePath(tile)}`) ?? new Uint8Array(0))
  const hashes = await createProver({ readTiles }).inclusionProof(index, log.size)
  const proof = formatTlogProof({ index, hashes, checkpoint: log.note })
  const leafEntry = toHex(log.entries[index] ?? new Uint8Array(0))
  const leaf = {
    commitment,
    entry: leafEntry,
    index,
    proof,
    anchor: null,
    log: { origin, vkey: log.vkey, self_witnessed: true },
  }
  return {
    type: 'tillit-receipt/v1',
    city: log.url,
    opening: { kind: 'did', entry: { ...entry }, salt, commitment },
    leaf,
  }
}

function inPage(expression: string, given: unknown = null): Promise<unknown> {
  return page.evaluate(`(async (given) => { ${expression} })(${JSON.stringify(given)})`)
}

test('a browser verifies a receipt, under a key and under a policy, and refuses a changed one', async () => {
  const receipt = await receiptOf(2)
  const given = { receipt, vkey: log.vkey, policy: log.policy }
  expect(await inPage('return tillit.verifyReceipt(given.receipt, { vkey: given.vkey })', given)).toMatchObject({
    index: receipt.leaf?.index,
    size: log.size,
  })
  const byPolicy = `return tillit.verifyReceipt(given.receipt, { policy: tillit.parseTrustPolicy(given.policy) })`
  expect(await inPage(byPolicy, given)).toMatchObject({ cosignedBy: [{ name: 'w1' }] })
  const changed = { ...receipt, opening: { ...receipt.opening, entry: { ...receipt.opening.entry, versionId: '1-x' } } }
  const refusal = 'try { tillit.verifyReceipt(given); return null } catch (error) { return error.code }'
  expect(await inPage(refusal, changed)).toBe('invalid-receipt')
})

test('a browser verifies a receipt as text', async () => {
  const receipt = await receiptOf(0)
  const expression = `const text = tillit.formatReceiptText(given.receipt)
    return tillit.verifyReceiptText(text, { vkey: given.vkey })`
  expect(await inPage(expression, { receipt, vkey: log.vkey })).toMatchObject({ index: receipt.leaf?.index })
})

const fsck = `return tillit.fsckCity({
  fetchCity: tillit.fetchFromCity(location.origin, { pausesMilliseconds: [] }),
  policy: tillit.parseTrustPolicy(given.policy),
  now: () => new Date(given.now),
})`

test('a browser replays a whole log, and finds what is wrong with it', async () => {
  const given = { policy: log.policy, now: now.toISOString() }
  expect(await inPage(fsck, given)).toMatchObject({
    sound: true,
    findings: [],
    counts: { entries: log.size, dids: 3, anchors: 3 },
  })
  log.lies.set('/log/tile/0/001', (honest) => honest?.map((byte, at) => (at === 7 ? byte ^ 1 : byte)) ?? null)
  expect(await inPage(fsck, given)).toMatchObject({
    sound: false,
    findings: [{ code: 'tile-differs', where: '/log/tile/0/001' }],
  })
})
