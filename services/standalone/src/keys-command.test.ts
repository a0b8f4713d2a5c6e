import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accountAddress } from '@tillit/ledger'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockCity } from './city-lock.ts'
import { readConfig } from './config.ts'
import { openCityIdentity } from './identities.ts'
import { keysCommand } from './keys-command.ts'
import { openKeys, ownPassphraseFile } from './open-keys.ts'

let dataDir: string
const now = () => new Date('2026-01-01T00:00:00Z')
const config = (env: Record<string, string> = {}) => readConfig({ DATA_DIR: dataDir, ...env })
const run = (...args: string[]) => keysCommand(args, config(), now)
const passphraseFile = (text: string) => {
  const file = join(dataDir, 'new-passphrase')
  writeFileSync(file, text)
  return file
}

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tillit-city-keys-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

/** As a city that was started once leaves it. */
async function startOnce(): Promise<void> {
  const keys = await openKeys(config(), { now })
  await keys.signer('log')
  await keys.signer('did-witness')
  await keys.privateJwks('tokens')
  await openCityIdentity(keys, 'registrar', { host: 'city.example', slug: 'registrar', now: now(), exportable: false })
  await keys.close()
}

test('the versions of every key are listed, also while the city runs', async () => {
  await startOnce()
  const lock = await lockCity(dataDir)
  const lines = (await run('list')).split('\n')
  expect(lines.map((line) => line.split(/\s+/).slice(0, 3).join(' '))).toEqual([
    ...['did-witness.1 EdDSA file', 'log.1 EdDSA file', 'registrar-update.1 EdDSA file', 'registrar.1 EdDSA file'],
    ...['tokens.1 EdDSA file'],
  ])
  expect(lines[0]).toContain('2026-01-01T00:00:00.000Z  active')
  await lock.release()
})

test('a rotation says what follows and until when the key before goes on', async () => {
  await startOnce()
  const text = await run('rotate', 'log', '--overlap', '24h')
  expect(text).toMatch(/log\.2 .*active\nlog\.1 .*retiring +until 2026-01-02T00:00:00\.000Z\n/)
  expect(text).toContain('signed by both keys')
  expect(await run('rotate', 'log')).toMatch(/log\.1 .*until 2026-01-02/)
  expect(await run('rotate', 'tokens', '--overlap', '0')).not.toContain('tokens.1')
})

test('the DID of the registrar follows its key while the command runs', async () => {
  await startOnce()
  await run('rotate', 'registrar')
  await run('rotate', 'registrar-update')
  const keys = await openKeys(config(), { now })
  const { entries } = JSON.parse((await keys.find('registrar.identity.json')) ?? '') as { entries: unknown[] }
  expect(entries).toHaveLength(3)
  const options = { host: 'city.example', slug: 'registrar', now: now(), exportable: false }
  expect((await openCityIdentity(keys, 'registrar', options)).updates).toEqual(entries.slice(1))
})

test('a rotated account of the ledger is named, so that it can be paid; one of the environment is rotated there', async () => {
  const keys = await openKeys(config(), { now })
  await keys.secp256k1Signers('anchor')
  await keys.close()
  const text = await run('rotate', 'anchor')
  const again = await openKeys(config(), { now })
  const [next, former, ...others] = await again.secp256k1Signers('anchor')
  await again.close()
  if (next === undefined || former === undefined) throw new Error('not rotated')
  expect(others).toEqual([])
  expect(text).toContain(`Send coins to the new account, ${accountAddress(next)}.`)
  expect(text).not.toContain(accountAddress(former))
  const given = config({ LEDGER_RPC_URL: 'http://127.0.0.1:8545', LEDGER_PRIVATE_KEY: `0x${'1'.repeat(64)}` })
  await expect(keysCommand(['rotate', 'anchor'], given, now)).rejects.toThrow('LEDGER_FORMER_PRIVATE_KEY')
})

const refusals: [args: string[], words: string][] = [
  [['rotate', 'anchor'], 'There is no key anchor yet'],
  [['rotate', 'anchor', '--overlap', '30d'], 'The overlap of anchor is 316224000 s at least'],
  [['rotate', 'did-witness'], 'only their controllers can change'],
  [['rotate', 'nothing'], 'nothing is none of log'],
  [['rotate', 'portal'], 'There is no key portal yet'],
  [['rotate', 'log', '--overlap', 'soon'], 'soon is no overlap'],
  [['rotate', 'log', '--overlap', '999999999d'], 'An overlap is a whole number of seconds'],
  [['rotate', 'registrar-update', '--overlap', '0'], 'is 3600 s at least'],
  [['rotate'], 'npm run keys'],
  [['list', 'log'], 'npm run keys'],
  [['list', '--to', 'x'], 'npm run keys'],
  [['rewrap'], 'npm run keys'],
  [['--else'], 'npm run keys'],
  [[], 'npm run keys'],
]

test('what cannot be done is refused in words for the operator, and changes nothing', async () => {
  await startOnce()
  const before = await run('list')
  for (const [args, words] of refusals)
    await expect(run(...args)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining(words),
    })
  expect(await run('list')).toBe(before)
})

test('nothing is made where there are no keys, and nothing is changed while the city runs', async () => {
  for (const args of [['list'], ['rotate', 'log'], ['rewrap', '--to', passphraseFile('x'.repeat(20))]])
    await expect(run(...args)).rejects.toMatchObject({ message: expect.stringContaining('There are no keys in') })
  expect(readdirSync(dataDir)).toEqual(['new-passphrase'])
  await startOnce()
  const lock = await lockCity(dataDir)
  await expect(run('rotate', 'log')).rejects.toMatchObject({ code: 'already-running' })
  await expect(run('rewrap', '--to', join(dataDir, 'new-passphrase'))).rejects.toMatchObject({
    code: 'already-running',
  })
  await lock.release()
})

test('after a new passphrase the keys open with it alone', async () => {
  await startOnce()
  const before = await run('list')
  const file = passphraseFile('the new passphrase of this city\n')
  expect(await run('rewrap', '--to', file)).toContain(`KEY_PASSPHRASE_FILE=${file}`)
  await expect(run('list')).rejects.toMatchObject({ code: 'invalid-configuration' })
  expect(await keysCommand(['list'], config({ KEY_PASSPHRASE_FILE: file }), now)).toBe(before)
  await expect(run('rewrap', '--to', join(dataDir, 'none'))).rejects.toMatchObject({
    message: expect.stringContaining('cannot be read'),
  })
  const short = passphraseFile('short')
  writeFileSync(file, 'short')
  await expect(run('rewrap', '--to', short)).rejects.toMatchObject({ code: 'invalid-configuration' })
})

test('a development city makes a passphrase for itself once, which only its user may read', async () => {
  await startOnce()
  const file = ownPassphraseFile(config())
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const text = readFileSync(file, 'utf8')
  await startOnce()
  expect(readFileSync(file, 'utf8')).toBe(text)
  rmSync(file)
  await expect(startOnce()).rejects.toMatchObject({ message: expect.stringContaining(`put back ${file}`) })
  expect(readdirSync(dataDir)).toEqual(['keys'])
  for (const wrong of ['', '\n', 'two\nlines of passphrase\n', 'a wrong passphrase altogether']) {
    writeFileSync(file, wrong)
    await expect(startOnce()).rejects.toMatchObject({ code: 'invalid-configuration' })
  }
})

test('in production the passphrase is given by its operator, or by systemd', () => {
  const production = { TILLIT_ENVIRONMENT: 'production', PUBLIC_URL: 'https://city.example', REGISTRAR_NAME: 'City' }
  expect(() => config(production)).toThrow('KEY_PASSPHRASE_FILE names the file with the passphrase')
  expect(config({ ...production, KEY_PASSPHRASE_FILE: '/run/secrets/keys' }).keyPassphraseFile).toBe(
    '/run/secrets/keys',
  )
  expect(() => config({ ...production, CREDENTIALS_DIRECTORY: dataDir })).toThrow('KEY_PASSPHRASE_FILE')
  const handedOver = join(dataDir, 'tillit-key-passphrase')
  writeFileSync(handedOver, 'from systemd')
  expect(config({ ...production, CREDENTIALS_DIRECTORY: dataDir }).keyPassphraseFile).toBe(handedOver)
})

test('a token is used only with all that belongs to it', async () => {
  const all = {
    KEY_STORE: 'pkcs11',
    PKCS11_MODULE: '/lib/none.so',
    PKCS11_TOKEN_LABEL: 'city',
    PKCS11_PIN_FILE: '/none',
  }
  for (const name of ['PKCS11_MODULE', 'PKCS11_TOKEN_LABEL', 'PKCS11_PIN_FILE'])
    expect(() => config({ ...all, [name]: '' })).toThrow(`${name} names`)
  expect(() => config({ KEY_STORE: 'vault' })).toThrow('KEY_STORE must be one of files, pkcs11')
  await expect(openKeys(config(all), { now })).rejects.toMatchObject({
    message: expect.stringContaining('PKCS11_PIN_FILE: /none cannot be read'),
  })
})
