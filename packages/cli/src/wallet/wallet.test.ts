import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { entitlementClaims, issue } from '../../../credential/test/city.ts'
import { UsageError } from '../usage-error.ts'
import { usageOfWallet, wallet } from './wallet.ts'

let folder: string
let printed: string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-wallet-'))
  printed = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line))
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

const store = () => join(folder, 'wallet.json')
const held = async () => ({
  ...{ id: 'one', format: 'dc+sd-jwt', keyId: 'key', credentialIssuer: 'https://city.example' },
  ...{ configurationId: 'MeteringPointEntitlement', receivedAt: '2026-11-22T12:00:00.000Z' },
  credential: await issue('utility', 'MeteringPointEntitlement', entitlementClaims),
})

test('what is in the wallet is listed, with what a verifier sees only when it asks', async () => {
  await writeFile(store(), JSON.stringify({ keys: [], credentials: [await held()], deferred: [] }))
  expect(await wallet(['list', '--store', store()])).toBe(0)
  const [text = ''] = printed
  expect(text).toMatch(/^MeteringPointEntitlement\n {2}issuer +did:web:utility\.example\n/)
  expect(text).toContain('gsrn            707057500000000001  (shown only when asked for)')
  expect(text).toMatch(/metering_point {2}mp_A+\n/)
  expect(text).not.toMatch(/ (iss|cnf|vct|iat) /)
})

test('a list of nothing makes no file', async () => {
  expect(await wallet(['list', '--store', store(), '--json'])).toBe(0)
  expect(printed).toEqual(['[]'])
  await expect(stat(store())).rejects.toMatchObject({ code: 'ENOENT' })
})

test.each([
  ['no verb', [], 'What is the wallet to do?'],
  ['an unknown verb', ['spend'], 'There is no command wallet spend.'],
  ['a name of every object', ['constructor'], 'There is no command wallet constructor.'],
  ['no link', ['receive'], 'LINK is missing.'],
  ['two links', ['present', 'openid4vp://a', 'openid4vp://b'], 'One LINK at a time'],
  ['no number of copies', ['receive', 'openid-credential-offer://', '--copies', 'many'], '--copies takes a number'],
  ['an own credential of nobody', ['receive', '--own', 'X'], '--own needs --identity FILE'],
  ['half a choice', ['present', 'openid4vp://', '--credential', 'query'], '--credential takes QUERY=ID.'],
])('a call with %s says how it is called', async (_what, args, words) => {
  await expect(wallet(args)).rejects.toSatisfy(
    (error: unknown) => error instanceof UsageError && error.message.startsWith(words),
  )
})

test.each([
  ['a list', '[]', 'is not a wallet'],
  ['something else', 'no wallet', 'cannot be read as a wallet'],
])('a file that holds %s is not overwritten', async (_what, text, words) => {
  await writeFile(store(), text)
  await expect(wallet(['list', '--store', store()])).rejects.toThrow(words)
})

test('help is of the verb, or of all', () => {
  expect(usageOfWallet(['present'])).toMatch(/^tillit wallet present LINK /)
  expect(usageOfWallet([]).match(/^tillit wallet /gm)?.length).toBeGreaterThan(4)
})
