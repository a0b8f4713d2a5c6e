import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatePrivateJwk } from '@tillit/keys'
import type { Receipt } from '@tillit/schemas'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { did, didUsage } from './did/did.ts'
import { importFile, importUsage } from './import-file.ts'
import { readReadings, readUsage } from './read-readings.ts'
import { makeReceipt } from './receipt.fixture.ts'
import { UsageError } from './usage-error.ts'
import { verifyReceipt, verifyUsage } from './verify-receipt.ts'

const bin = fileURLToPath(new URL('../bin/tillit.mjs', import.meta.url))
let folder: string
let receipt: Receipt
let pending: Receipt

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-cli-'))
  receipt = await makeReceipt({ anchored: true })
  pending = await makeReceipt({ anchored: false })
})
afterAll(() => rm(folder, { recursive: true }))

interface Ran {
  status: number
  out: string
  err: string
}

function tillit(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], { cwd: folder, env: {} }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

async function file(name: string, value: unknown): Promise<string> {
  await writeFile(join(folder, name), JSON.stringify(value))
  return name
}

describe('called wrongly, a command says how it is called', () => {
  const point = ['--metering-point', 'mp_1']
  test.each([
    [importFile, importUsage, []],
    [importFile, importUsage, ['a.csv']],
    [importFile, importUsage, ['a.csv', 'b.csv', ...point]],
    [importFile, '--direction is consumption or production', ['a.csv', ...point, '--direction', 'up']],
    [readReadings, readUsage, [...point, '--from', '2025-01-01T00:00:00Z']],
    [verifyReceipt, verifyUsage, []],
    [verifyReceipt, verifyUsage, ['a.json', 'b.json']],
    [verifyReceipt, '/nowhere/a.json cannot be read', ['/nowhere/a.json']],
    [did, didUsage, []],
  ])('%o', async (command, message, args) => {
    const error = await command(args).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ message })
  })

  test('an identity that is not there is named, with what to do', async () => {
    const args = [...point, '--from', 'a', '--to', 'b', '--identity', '/nowhere/me.json']
    await expect(readReadings(args)).rejects.toThrow('/nowhere/me.json cannot be read as an identity. Name one with')
  })
})

test.concurrent('help names every command and ends well', async () => {
  const { status, out, err } = await tillit('--help')
  expect([status, err]).toEqual([0, ''])
  for (const usage of [importUsage, readUsage, verifyUsage, didUsage]) expect(out).toContain(usage)
})

test.concurrent('an unknown command or option is status 2, on standard error', async () => {
  const [command, option] = await Promise.all([tillit('conjure'), tillit('verify', 'a.json', '--softly')])
  expect(command).toMatchObject({ status: 2, out: '' })
  expect(command.err).toContain('There is no command conjure.')
  expect(option).toMatchObject({ status: 2, out: '' })
  expect(option.err).toContain("Unknown option '--softly'")
})

test.concurrent('a receipt that holds is status 0, one that waits for its anchor status 3', async () => {
  const [held, waiting] = await Promise.all([
    tillit('verify', await file('held.json', receipt), '--offline'),
    tillit('verify', await file('pending.json', pending), '--offline', '--json'),
  ])
  expect(held).toMatchObject({ status: 0, err: '' })
  expect(held.out).toContain('Adviser, permit, 31 values at P1D')
  expect(waiting).toMatchObject({ status: 3, err: '' })
  expect(JSON.parse(waiting.out)).toMatchObject({ verified: true, anchor: 'pending', index: 1, size: 2 })
})

test.concurrent('a changed receipt, another log key and what is no receipt are status 1, with the code', async () => {
  const entry = { ...receipt.opening.entry, values: 30 }
  const changed = { ...receipt, opening: { ...receipt.opening, entry } }
  const otherKey = receipt.leaf?.log.vkey.replace('city', 'town') ?? ''
  const [tampered, unpinned, nothing] = await Promise.all([
    tillit('verify', await file('changed.json', changed), '--offline'),
    tillit('verify', await file('other.json', receipt), '--offline', '--vkey', otherKey),
    tillit('verify', await file('nothing.json', {})),
  ])
  expect(tampered).toMatchObject({ status: 1, out: '' })
  expect(tampered.err).toContain('invalid-receipt: The receipt does not verify: the entry does not open the commitment')
  expect(unpinned.status).toBe(1)
  expect(unpinned.err).toContain('invalid-checkpoint:')
  expect(nothing).toMatchObject({ status: 1, err: 'invalid-receipt: nothing.json is not a receipt\n' })
})

test.concurrent('a city that cannot be reached is status 1, in words', async () => {
  const identity = {
    ...{ name: 'me', city: 'http://127.0.0.1:9', did: 'did:web:me.example', key_id: 'did:web:me.example#1' },
    private_jwk: await generatePrivateJwk(),
  }
  const name = await file('me.json', identity)
  const window = ['--from', '2025-01-01T00:00:00Z', '--to', '2025-02-01T00:00:00Z']
  const ran = await tillit('read', '--metering-point', 'mp_1', ...window, '--identity', name)
  expect(ran).toEqual({ status: 1, out: '', err: 'The city cannot be reached. Does it run (npm start)?\n' })
})
