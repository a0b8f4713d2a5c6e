import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatReceiptText } from '@tillit/client'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { makeReceipt } from '../receipt.fixture.ts'
import { verifyReceipt } from '../verify-receipt.ts'

let folder: string
let proof: string
let policy: string
let vkey: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-verify-'))
  const receipt = await makeReceipt({ anchored: false })
  vkey = receipt.leaf?.log.vkey ?? ''
  proof = join(folder, 'receipt.tlog-proof')
  policy = join(folder, 'policy')
  await writeFile(proof, formatReceiptText(receipt))
  await writeFile(policy, `log ${vkey}\nquorum none\n`)
})

afterAll(() => rm(folder, { recursive: true }))

async function printed(args: string[]): Promise<{ status: number; lines: string[] }> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const status = await verifyReceipt(args)
  const lines = log.mock.calls.map(([line]) => String(line))
  log.mockRestore()
  return { status, lines }
}

test('a receipt as text verifies by a key and by a policy, asking nobody', async () => {
  expect(await printed([proof, '--vkey', vkey])).toMatchObject({
    status: 0,
    lines: [
      expect.stringContaining('✓ entry 1 of the log'),
      expect.stringContaining('kind access-record, as the receipt says'),
    ],
  })
  const { lines } = await printed([proof, '--policy', policy, '--json'])
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ index: 1, size: 2, cosignedBy: [], anchor: 'unknown' })
})

test('a receipt as text says by itself nothing about whom to trust', async () => {
  await expect(verifyReceipt([proof])).rejects.toThrow('give --vkey or --policy')
})

test('a receipt is refused under a policy of another log', async () => {
  const other = join(folder, 'other-policy')
  await writeFile(other, 'quorum none\n')
  await expect(verifyReceipt([proof, '--policy', other])).rejects.toMatchObject({ code: 'invalid-checkpoint' })
})
