import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestDatabase, testDatabase } from '@tillit/database'
import { type Anvil, anvilAccount, openEvmLedger, readAnchor, startAnvil } from '@tillit/ledger'
import { verifyReceipt } from '@tillit/log'
import type { AnchorEvidence, DidAccepted, LeafProof, Receipt } from '@tillit/schemas'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually, newDid, recordingLogger, testRegistry } from './registry.fixture.ts'

let database: TestDatabase
let city: Awaited<ReturnType<typeof testRegistry>>
let folder: string
let anvil: Anvil
let lines: { level: string; message: string }[]

beforeEach(async () => {
  database = await testDatabase()
  folder = mkdtempSync(join(tmpdir(), 'registry-ledger-'))
  anvil = await startAnvil({ dataDir: folder })
  const recording = recordingLogger()
  lines = recording.lines
  city = await testRegistry(database, {
    // Opened anew at each try; where the ledger is may change under the registry.
    ledger: () => openEvmLedger({ rpcUrl: anvil.rpcUrl, account: anvilAccount(), timeoutMs: 1000 }),
    publicRpcUrl: anvil.rpcUrl,
    anchorIntervalSeconds: 3600,
    logger: recording.logger,
  })
  city.registry.start()
})
afterEach(async () => {
  await city.registry.stop()
  await city.app.close()
  await anvil.stop()
  rmSync(folder, { recursive: true, force: true })
  await database.drop()
})

/** Registers a DID and gives its receipt once the log has it. */
async function logged(): Promise<Receipt> {
  const { entry } = await newDid()
  const { opening } = (await city.post('/dids', { entry, listed: true })).json<DidAccepted>()
  const leaf = await proof(opening.commitment)
  return {
    type: 'tillit-receipt/v1',
    city: 'http://localhost:8080',
    opening: { ...opening, entry: { ...entry } },
    leaf,
  }
}

function proof(commitment: string): Promise<LeafProof> {
  return eventually(async () => {
    const reply = await city.get(`/log/leaves/${commitment}/proof`)
    expect(reply.statusCode).toBe(200)
    return reply.json<LeafProof>()
  })
}

async function anchored(receipt: Receipt): Promise<{ receipt: Receipt; anchor: AnchorEvidence }> {
  await city.registry.anchorNow()
  const leaf = await proof(receipt.opening.commitment)
  if (leaf.anchor === null) throw new Error(`not anchored: ${(await city.registry.status()).fault}`)
  return { receipt: { ...receipt, leaf }, anchor: leaf.anchor }
}

test('an entry is anchored, and the receipt agrees with the ledger itself', async () => {
  const pending = await logged()
  expect(verifyReceipt(pending).anchored).toBeNull()
  const { receipt, anchor } = await anchored(pending)
  const verified = verifyReceipt(receipt, { vkey: city.registry.logVkey })
  const { contract, transaction } = anchor
  const record = await readAnchor({ rpcUrl: anvil.rpcUrl, contract, anchor: { transaction } })
  expect({ size: record.size, root: Buffer.from(record.root).toString('hex') }).toEqual({
    size: verified.size,
    root: verified.root,
  })
  expect((await city.get('/registry/ledger')).json()).toMatchObject({
    kind: 'evm',
    chain_id: 31337,
    contract,
    rpc_url: anvil.rpcUrl,
    fault: null,
    last_anchor: anchor,
  })
  // A later checkpoint does not take the anchored proof away; it can also be asked for by its size.
  await logged()
  expect((await proof(receipt.opening.commitment)).anchor).toEqual(anchor)
  const bySize = await city.get(`/log/leaves/${receipt.opening.commitment}/proof?size=${anchor.size}`)
  expect(bySize.json()).toEqual(receipt.leaf)
})

test('anchors are listed by size in pages', async () => {
  const sizes: number[] = []
  for (let i = 0; i < 3; i++) sizes.push((await anchored(await logged())).anchor.size)
  const first = await city.get('/registry/anchors?limit=2')
  expect(first.json<{ anchors: AnchorEvidence[] }>().anchors.map(({ size }) => size)).toEqual(sizes.slice(0, 2))
  expect(first.headers.link).toContain('rel="next"')
  const next = await city.get(`/registry/anchors?limit=2&min_size=${first.json().next_min_size}`)
  expect(next.json<{ anchors: AnchorEvidence[] }>().anchors.map(({ size }) => size)).toEqual(sizes.slice(2))
  expect(next.headers.link).toBeUndefined()
})

test('the log goes on while the ledger is dead, and is anchored when it comes back', async () => {
  await anchored(await logged())
  const dead = new Promise<void>((resolve) => anvil.onExit(resolve))
  process.kill(Number(readFileSync(join(folder, 'anvil.pid'), 'utf8')), 'SIGKILL')
  await dead
  const during = await logged()
  const { receipt } = await eventually(() => anchored(during))
  expect(verifyReceipt(receipt).anchored).not.toBeNull()
})

test('a ledger that is down is told once, and its return once', async () => {
  await anvil.stop()
  const receipt = await logged()
  for (let i = 0; i < 3; i++) await city.registry.anchorNow()
  expect((await proof(receipt.opening.commitment)).anchor).toBeNull()
  expect((await city.get('/registry/ledger')).json().fault).toContain('cannot be reached')
  anvil = await startAnvil({ dataDir: folder })
  await anchored(receipt)
  expect(lines.filter(({ message }) => message.startsWith('anchoring: The ledger cannot be reached')).length).toBe(1)
  expect(lines.filter(({ message }) => message === 'anchoring works again').length).toBe(1)
})

test('a ledger that comes back empty is anchored anew, and proofs use the new anchors', async () => {
  const { receipt, anchor } = await anchored(await logged())
  const port = Number(new URL(anvil.rpcUrl).port)
  await anvil.stop()
  rmSync(folder, { recursive: true, force: true })
  anvil = await startAnvil({ dataDir: folder, port })
  const later = await logged()
  const again = await anchored(later)
  expect(again.anchor.size).toBeGreaterThan(anchor.size)
  expect((await proof(receipt.opening.commitment)).anchor).toEqual(again.anchor)
  const { anchors } = (await city.get('/registry/anchors')).json<{ anchors: AnchorEvidence[] }>()
  expect(anchors).toEqual([again.anchor])
})

test('an anchor that was made but not recorded is found on the ledger', async () => {
  const { receipt, anchor } = await anchored(await logged())
  await database
    .connect('registry')
    .deleteFrom('registry.anchors' as never)
    .execute()
  expect((await proof(receipt.opening.commitment)).anchor).toBeNull()
  expect((await anchored(receipt)).anchor).toEqual(anchor)
})

test('a ledger that holds another log than ours raises the alarm', async () => {
  await city.registry.anchorNow()
  const ledger = await openEvmLedger({ rpcUrl: anvil.rpcUrl, account: anvilAccount() })
  await ledger.anchor(new Uint8Array(32).fill(9), 5000)
  await logged()
  await city.registry.anchorNow()
  expect((await city.registry.status()).fault).toContain('a log of 5000 entries that is not ours')
  expect(lines.some(({ level, message }) => level === 'error' && message.includes('not ours'))).toBe(true)
})
