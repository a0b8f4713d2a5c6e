import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatePrivateJwk } from '@tillit/keys'
import type { Receipt } from '@tillit/schemas'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands, overview } from './commands.ts'
import { readReadings } from './read-readings.ts'
import { makeReceipt } from './receipt.fixture.ts'
import { UsageError } from './usage-error.ts'

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

async function load(name: string) {
  const command = await commands[name]?.()
  if (command === undefined) throw new Error(`there is no command ${name}`)
  return command
}

describe('called wrongly, a command says what is wrong', () => {
  const point = '--metering-point mp_1'
  test.each([
    ['import', 'FILE is missing.'],
    ['import a.csv', '--metering-point is missing.'],
    [`import a.csv b.csv ${point}`, 'One FILE at a time: b.csv is too much.'],
    ['read', '--metering-point is missing.'],
    [`read ${point}`, '--from is missing.'],
    [`read ${point} --from 2025-01-01T00:00:00Z`, '--to is missing.'],
    ['verify', 'RECEIPT is missing.'],
    ['verify a.json b.json', 'One RECEIPT at a time: b.json is too much.'],
    ['receipt', 'ENTRY is missing.'],
    ['fsck', 'URL is missing.'],
    ['monitor', 'URL is missing.'],
    ['monitor http://127.0.0.1:9 --interval soon', '--interval takes a number of seconds.'],
    ['credentials', 'What is to become of credentials?'],
    ['credentials conjure', 'There is no command credentials conjure.'],
    ['credentials issue', '--from is missing.'],
    ['credentials issue --from a.csv', '--type is missing.'],
    ['credentials issue --from a.csv --type MeteringPointEntitlement', '--out is missing.'],
    ['credentials revoke', 'ID is missing.'],
    ['credentials key-compromised', 'KEY is missing.'],
    ['did', 'What is to become of a DID?'],
    ['did conjure', 'There is no command did conjure.'],
    ['did create', 'PLACE is missing.'],
    ['did update', 'Nothing is named that is to change.'],
    ['did rotate --pre-rotate --no-pre-rotate', 'Either --pre-rotate or --no-pre-rotate.'],
    ['did move', 'PLACE is missing.'],
    ['did resolve', 'DID is missing.'],
    ['anchor', 'tillit anchor has one command: status.'],
    ['anchor status --within soon', '--within takes a number of seconds.'],
    ['witness', 'No log is named: give --log or --log-policy.'],
    ['witness init', '--name is missing.'],
  ])('tillit %s', async (call, what) => {
    const [name = '', ...args] = call.split(' ')
    const { run, usage } = await load(name)
    const error: unknown = await run(args).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ message: `${what}\n\n${usage(args)}` })
  })

  test.each([
    [`import a.csv ${point} --direction up`, '--direction is consumption or production.'],
    ['import /nowhere/a.csv --metering-point mp_1 --identity me.json', 'me.json cannot be read as an identity'],
    ['verify /nowhere/a.json', '/nowhere/a.json cannot be read.'],
    ['fsck nonsense', 'nonsense is not the URL of a city'],
    ['monitor file:///etc/passwd', 'file:///etc/passwd is not the URL of a city'],
    ['anchor status --city nonsense', 'nonsense is not the URL of a city'],
    ['did resolve did:web:a.example --city nonsense', 'nonsense is not the URL of a city'],
    ['witness --state /nowhere --log-policy /nowhere/policy', '/nowhere/policy cannot be read.'],
  ])('tillit %s', async (call, what) => {
    const [name = '', ...args] = call.split(' ')
    const error: unknown = await (await load(name)).run(args).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect(String(error)).toContain(what)
  })

  test('an identity that is not there is named, with what to do', async () => {
    const args = [...point.split(' '), '--from', 'a', '--to', 'b', '--identity', '/nowhere/me.json']
    await expect(readReadings(args)).rejects.toThrow('/nowhere/me.json cannot be read as an identity. Name one with')
  })
})

describe('help', () => {
  const lines = overview.split('\n').flatMap((line) => /^ {2}tillit (\S+)(?: ([a-z]+))? /.exec(line)?.slice(1) ?? [])
  const calls = Array.from({ length: lines.length / 2 }, (_, i) => lines.slice(2 * i, 2 * i + 2))

  test('names every command', () => {
    expect(new Set(calls.map(([name]) => name))).toEqual(new Set(Object.keys(commands)))
  })

  test.each(calls)('of %s %s is about that command, in lines that a terminal shows', async (name = '', verb) => {
    const usage = (await load(name)).usage(verb === undefined ? [] : [verb, '--help'])
    expect(usage).toContain(`tillit ${name}${verb === undefined ? '' : ` ${verb}`}`)
    for (const line of usage.split('\n')) expect(line.length, line).toBeLessThanOrEqual(101)
  })

  test('of a command of a command is about that one only', async () => {
    const did = await load('did')
    expect(did.usage(['rotate', '--help'])).toMatch(/^tillit did rotate /)
    expect(did.usage(['rotate', '--help'])).not.toContain('tillit did update')
    expect(did.usage(['--help'])).toContain('tillit did update')
  })
})

test.concurrent.each([
  [['--help'], overview],
  [[], overview],
  [['help'], overview],
  [['--version'], '0.1.0'],
])('tillit %o is answered at once', async (args, text) => {
  expect(await tillit(...args)).toEqual({ status: 0, out: `${text}\n`, err: '' })
})

test.concurrent('help of a command reads no further', async () => {
  const asked = await tillit('verify', 'nowhere.json', '--help', '--conjure')
  expect(asked).toMatchObject({ status: 0, err: '' })
  expect(asked.out).toMatch(/^tillit verify RECEIPT /)
  expect(await tillit('help', 'verify')).toEqual(asked)
})

test.concurrent('an unknown command or option is status 2, on standard error', async () => {
  const [command, option] = await Promise.all([tillit('conjure'), tillit('verify', 'a.json', '--softly')])
  expect(command).toMatchObject({ status: 2, out: '' })
  expect(command.err).toBe('There is no command conjure. What there is: tillit --help\n')
  expect(option).toMatchObject({ status: 2, out: '' })
  expect(option.err).toMatch(/^Unknown option '--softly'\.\n\ntillit verify RECEIPT /)
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

test.concurrent('what a receipt calls its entry is told as its own word, and only words reach the terminal', async () => {
  const opening = { ...receipt.opening, kind: 'did' }
  const colourful = { ...receipt.opening.entry, caller_name: '\u001b[31mAdviser' }
  const [relabelled, coloured, bare] = await Promise.all([
    tillit('verify', await file('relabelled.json', { ...receipt, opening }), '--offline'),
    tillit('verify', await file('coloured.json', await makeReceipt({ anchored: true, entry: colourful })), '--offline'),
    tillit('verify', await file('bare.json', await makeReceipt({ anchored: true, entry: {} })), '--offline'),
  ])
  expect(relabelled.out).toContain('kind did, as the receipt says; the commitment does not cover it')
  expect(coloured.out).toContain(' [31mAdviser, permit')
  expect(bare.status).toBe(0)
  expect(bare.out).not.toContain('undefined')
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

test.concurrent('a folder that is named as a file is status 2, in words', async () => {
  const identity = { ...{ name: 'me', city: 'http://127.0.0.1:9', did: 'did:web:me.example', key_id: 'k' } }
  const name = await file('folder-me.json', { ...identity, private_jwk: await generatePrivateJwk() })
  const [imported, verified, made] = await Promise.all([
    tillit('import', '.', '--metering-point', 'mp_1', '--identity', name),
    tillit('verify', '.'),
    tillit('did', 'create', 'city.example/me', '--key', 'no/such/key', '--log', 'no/such/log'),
  ])
  expect(imported).toEqual({ status: 2, out: '', err: '. cannot be read.\n' })
  expect(verified).toEqual({ status: 2, out: '', err: '. cannot be read.\n' })
  expect(made).toMatchObject({ status: 2, out: '', err: expect.stringMatching(/^ENOENT: no such file[^\n]*\n$/) })
})

test.concurrent('what is no city is status 1, in words', async () => {
  const site = createServer((_, reply) => reply.writeHead(404, { 'content-type': 'text/html' }).end('<p>no</p>'))
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
  const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  const asked = await Promise.all([tillit('fsck', url), tillit('anchor', 'status', '--city', url)])
  site.close()
  const err = `What answers at ${url} is no city: it sends a web page (status 404).\n`
  expect(asked).toEqual(asked.map(() => ({ status: 1, out: '', err })))
})

test.concurrent('a city that is not there is status 1, in words', async () => {
  const identity = {
    ...{ name: 'me', city: 'http://127.0.0.1:9', did: 'did:web:me.example', key_id: 'did:web:me.example#1' },
    private_jwk: await generatePrivateJwk(),
  }
  const name = await file('me.json', identity)
  const window = ['--from', '2025-01-01T00:00:00Z', '--to', '2025-02-01T00:00:00Z']
  const ran = await tillit('read', '--metering-point', 'mp_1', ...window, '--identity', name)
  expect(ran).toEqual({ status: 1, out: '', err: expect.stringContaining('There is no city at http://127.0.0.1:9 (') })
  expect(ran.err.trim().split('\n')).toHaveLength(1)
})
