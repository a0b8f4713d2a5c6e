import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { copyFile, mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256, toHex, utf8 } from '@tillit/codec'
import { generatePrivateJwk, verifyMlDsa44, verifySignature } from '@tillit/keys'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type KeyStore, openKeyStore, rewrapKeyStore } from './index.ts'
import { seal, unseal } from './seal.ts'

const passphrase = 'a passphrase that is long enough'
const message = utf8('message')
let folder: string
let time: Date

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tillit-keys-'))
  time = new Date('2026-01-01T00:00:00Z')
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = (options: { passphrase?: string; readOnly?: boolean } = {}): Promise<KeyStore> =>
  openKeyStore({ folder, passphrase, now: () => time, ...options })
const file = (name: string) => join(folder, name)
const refused = (words: string) =>
  expect.objectContaining({ code: 'invalid-configuration', message: expect.stringContaining(words) })

test('a key is made once, only its owner may read its file, and nothing of it can be read there', async () => {
  const [jwk] = await (await open()).privateJwks('log')
  expect((await (await open()).privateJwks('log'))[0]).toEqual(jwk)
  expect(readdirSync(folder).sort()).toEqual(['contents.sealed', 'log.key.sealed', 'store-key.json'])
  for (const name of readdirSync(folder)) {
    expect(statSync(file(name)).mode & 0o777).toBe(0o600)
    expect(readFileSync(file(name), 'utf8')).not.toContain(jwk?.d)
  }
})

test('two who ask for the same new key at the same time get the same one', async () => {
  const keys = await open()
  const signers = await Promise.all([keys.signer('log'), keys.signer('log'), keys.signer('log')])
  expect(new Set(signers.map(({ publicKey }) => toHex(publicKey.bytes))).size).toBe(1)
  const secrets = await Promise.all(['a', 'b'].map((text) => keys.secret('cookies', () => text)))
  expect(secrets).toEqual(['a', 'a'])
})

test('an account of a ledger stays after it was rotated, however late its role is handed on', async () => {
  const keys = await open()
  const [first] = await keys.secp256k1Signers('anchor')
  await keys.rotate('anchor', { overlapSeconds: 60 })
  time = new Date(time.getTime() + 3_600_000)
  const accounts = await (await open()).secp256k1Signers('anchor')
  expect(accounts).toHaveLength(2)
  expect(accounts[1]?.publicKey).toEqual(first?.publicKey)
  expect(accounts[0]?.publicKey).not.toEqual(first?.publicKey)
})

test('each kind of key signs, and is the same after a restart', async () => {
  const keys = await open()
  const again = await open()
  for (const alg of ['EdDSA', 'ES256'] as const) {
    const signer = await keys.signer(alg, alg)
    const { publicKey } = await again.signer(alg, alg)
    expect(verifySignature(publicKey, message, await signer.sign(message))).toBe(true)
  }
  const mlDsa = await keys.mlDsa44Signer('witness')
  expect(verifyMlDsa44((await again.mlDsa44Signer('witness')).publicKey, message, await mlDsa.sign(message))).toBe(true)
  const [account] = await keys.secp256k1Signers('anchor')
  expect((await again.secp256k1Signers('anchor')).map(({ publicKey }) => publicKey)).toEqual([account?.publicKey])
  expect(await account?.signDigest(sha256(message))).toHaveLength(65)
})

test('a key is not used for another algorithm than it was made for', async () => {
  const keys = await open()
  await keys.signer('log')
  await expect(keys.signer('log', 'ES256')).rejects.toEqual(refused('is for EdDSA, not ES256'))
  await expect(keys.mlDsa44Signer('log')).rejects.toEqual(refused('is for EdDSA, not ML-DSA-44'))
  await keys.mlDsa44Signer('witness')
  await expect(keys.signer('witness')).rejects.toEqual(refused('is for ML-DSA-44, not EdDSA'))
})

test('secrets are found, replaced, and absent when there are none', async () => {
  const keys = await open()
  expect(await keys.find('city-id')).toBeNull()
  expect(await keys.secret('city-id', () => 'one')).toBe('one')
  await keys.replace('city-id', 'two')
  expect(await (await open()).find('city-id')).toBe('two')
})

test('a name that would leave the folder is refused', async () => {
  const keys = await open()
  for (const name of ['../x', '', '.x', 'a/b', 'contents'])
    await expect(keys.find(name)).rejects.toThrow('cannot be the name')
})

test('another passphrase opens nothing, and one that is too short is not taken', async () => {
  await (await open()).signer('log')
  await expect(open({ passphrase: 'another passphrase of some length' })).rejects.toEqual(
    refused('The passphrase does not open store-key.json'),
  )
  await expect(open({ passphrase: 'short' })).rejects.toEqual(refused('fewer than 16 characters'))
})

test('a file that is gone, damaged, cut short, empty or another one is named, and no key is made in its place', async () => {
  const keys = await open()
  await keys.signer('log')
  await keys.signer('tokens')
  const path = file('log.key.sealed')
  const good = readFileSync(path, 'utf8')
  const faults: [() => void | Promise<void>, string][] = [
    [() => rmSync(path), 'log.key.sealed is gone'],
    [() => writeFileSync(path, ''), 'log.key.sealed is damaged'],
    [() => writeFileSync(path, good.slice(0, good.length / 2)), 'log.key.sealed is damaged'],
    [() => writeFileSync(path, 'null'), 'log.key.sealed is damaged'],
    [() => writeFileSync(path, 'x'.repeat(5 * 1024 * 1024)), 'log.key.sealed is damaged'],
    [() => writeFileSync(path, good.replace(/"data":"..../, '"data":"AAAA')), 'log.key.sealed is damaged'],
    [() => writeFileSync(path, good.replace(/"data":"[^"]*"/, '"data":""')), 'log.key.sealed is damaged'],
    [() => copyFile(file('tokens.key.sealed'), path), 'or stands in the place of another'],
    [() => writeFileSync(path, good.replace(/"store_key":"../, '"store_key":"xx')), 'sealed for another folder'],
  ]
  for (const [harm, words] of faults) {
    await harm()
    const before = readdirSync(folder).sort()
    await expect(keys.signer('log')).rejects.toEqual(refused(words))
    await expect(keys.privateJwks('log')).rejects.toEqual(refused(words))
    expect(readdirSync(folder).sort()).toEqual(before)
  }
  await expect((await open()).signer('log')).rejects.toEqual(refused('sealed for another folder'))
  writeFileSync(path, good)
  expect(await (await open()).signer('log')).toMatchObject({ publicKey: (await keys.signer('log')).publicKey })
})

test('without the file that opens the others, or the one that names them, nothing is made anew', async () => {
  await (await open()).signer('log')
  for (const name of ['store-key.json', 'contents.sealed']) {
    await rename(file(name), file('away'))
    await expect(open()).rejects.toEqual(refused(`${name} is gone`))
    await rename(file('away'), file(name))
  }
  const good = readFileSync(file('store-key.json'), 'utf8')
  for (const text of [
    '',
    '{}',
    good.slice(0, 90),
    good.replace('32768', '99999999999'),
    good.replace('scrypt', 'none'),
  ]) {
    writeFileSync(file('store-key.json'), text)
    await expect(open()).rejects.toEqual(refused('store-key.json is damaged'))
  }
  writeFileSync(file('store-key.json'), good.replace(/"data":"..../, '"data":"AAAA'))
  await expect(open()).rejects.toEqual(refused('does not open store-key.json'))
})

test('no change of a sealed text opens as something else', () => {
  const key = new Uint8Array(32).fill(7)
  const sealed = seal(key, 'log', 'text')
  expect(unseal(key, 'log', sealed)).toBe('text')
  fc.assert(
    fc.property(fc.constantFrom('nonce', 'data'), fc.nat(), fc.constantFrom('A', 'B', '_', ''), (part, at, letter) => {
      const text = sealed[part as 'nonce' | 'data']
      const place = at % text.length
      const changed = { ...sealed, [part]: text.slice(0, place) + letter + text.slice(place + 1) }
      expect([null, ...(changed[part as 'data'] === text ? ['text'] : [])]).toContain(unseal(key, 'log', changed))
    }),
  )
  expect(unseal(key, 'tokens', sealed)).toBeNull()
  expect(unseal(new Uint8Array(32).fill(8), 'log', sealed)).toBeNull()
  // A tag that was cut short must not be taken for one.
  expect(unseal(key, 'log', { ...sealed, data: sealed.data.slice(0, 8) })).toBeNull()
})

test('the plain files of an older city are taken over, whatever point a crash had reached', async () => {
  const jwk = await generatePrivateJwk()
  const plain = { 'log.jwk.json': JSON.stringify(jwk), 'city-id': 'the city', 'log.identity.json': '{"did":"x"}' }
  const writePlain = () => {
    for (const [name, text] of Object.entries(plain)) writeFileSync(file(name), text)
  }
  writePlain()
  writeFileSync(file('tokens.jwk.json.partial'), '{"kty":')
  writeFileSync(file('log.jwk.json.bak'), "somebody's copy")
  for (const last of [false, true]) {
    const keys = await open()
    expect(await keys.privateJwks('log')).toEqual([jwk])
    expect(await keys.find('city-id')).toBe('the city')
    expect(await keys.find('log.identity.json')).toBe('{"did":"x"}')
    expect(readdirSync(folder).sort()).toEqual([
      ...[
        'city-id.sealed',
        'contents.sealed',
        'log.identity.json.sealed',
        'log.jwk.json.bak',
        'log.key.sealed',
        'store-key.json',
      ],
    ])
    // A crash before the plain form was removed.
    if (!last) writePlain()
  }
})

test('a plain key that is damaged, or another than the sealed one, is left where it is and named', async () => {
  writeFileSync(file('tokens.jwk.json'), '{"d":"secret')
  const fault = await open().catch((error: Error) => error)
  expect(fault).toEqual(refused('tokens.jwk.json is damaged'))
  expect(fault).not.toHaveProperty('cause')
  expect(String(fault)).not.toContain('secret')
  rmSync(file('tokens.jwk.json'))
  const keys = await open()
  const [kept] = await keys.privateJwks('log')
  writeFileSync(file('log.jwk.json'), JSON.stringify(await generatePrivateJwk()))
  await expect(open()).rejects.toEqual(refused('log.jwk.json stands in plain beside log.key.sealed'))
  rmSync(file('log.jwk.json'))
  expect(await (await open()).privateJwks('log')).toEqual([kept])
})

test('what a crash left half-written is no key', async () => {
  const keys = await open()
  const { publicKey } = await keys.signer('log')
  writeFileSync(file('log.key.sealed.partial'), '{"format":')
  writeFileSync(file('tokens.key.sealed.partial'), '{"format":')
  const again = await open()
  expect((await again.signer('log')).publicKey).toEqual(publicKey)
  await again.signer('tokens')
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([])
})

test('of a key that is rotated twice within an overlap all three versions are there, each until its own end', async () => {
  const keys = await open()
  const keyOf = async () => (await keys.signers('log')).map(({ publicKey }) => toHex(publicKey.bytes))
  const [first] = await keyOf()
  await keys.rotate('log', { overlapSeconds: 3600 })
  const [second, ...afterOne] = await keyOf()
  expect(afterOne).toEqual([first])
  time = new Date('2026-01-01T00:30:00Z')
  await keys.rotate('log', { overlapSeconds: 3600 })
  const [third, ...afterTwo] = await keyOf()
  expect(afterTwo).toEqual([second, first])
  expect(new Set([first, second, third]).size).toBe(3)
  expect((await keys.list()).map(({ version, state }) => `${version} ${state}`)).toEqual([
    ...['3 active', '2 retiring', '1 retiring'],
  ])
  time = new Date('2026-01-01T01:00:00Z')
  expect(await keyOf()).toEqual([third, second])
  expect((await keys.list()).map(({ state }) => state)).toEqual(['active', 'retiring', 'ended'])
  time = new Date('2026-01-01T01:30:00Z')
  expect(await keyOf()).toEqual([third])
  expect(await (await open()).signers('log')).toHaveLength(1)
  await keys.rotate('log', { overlapSeconds: 0 })
  expect((await keys.list()).map(({ version }) => version)).toEqual([4])
  expect(toHex((await keys.signer('log')).publicKey.bytes)).not.toBe(third)
})

test('rotation refuses a key that is not there, an overlap that is no time, and versions without end', async () => {
  const keys = await open()
  await expect(keys.rotate('log', { overlapSeconds: 1 })).rejects.toMatchObject({ code: 'invalid-request' })
  await keys.signer('log')
  for (const overlapSeconds of [-1, 1.5, Number.NaN, 1e12])
    await expect(keys.rotate('log', { overlapSeconds })).rejects.toMatchObject({ code: 'invalid-request' })
  for (let count = 1; count < 8; count++) await keys.rotate('log', { overlapSeconds: 60 })
  await expect(keys.rotate('log', { overlapSeconds: 60 })).rejects.toMatchObject({ code: 'invalid-request' })
  expect(await keys.signers('log')).toHaveLength(8)
})

test('who only reads changes nothing, and makes no folder of keys where there is none', async () => {
  await expect(open({ readOnly: true })).rejects.toEqual(refused('There are no keys'))
  const keys = await open()
  await keys.signer('log')
  await writeFile(file('cookies'), 'plain')
  const before = readdirSync(folder).map((name) => [name, readFileSync(file(name), 'utf8')])
  const reader = await open({ readOnly: true })
  expect(await reader.list()).toEqual(await keys.list())
  await expect(reader.signer('tokens')).rejects.toThrow('for reading only')
  expect(readdirSync(folder).map((name) => [name, readFileSync(file(name), 'utf8')])).toEqual(before)
})

test('after a new passphrase the old one opens nothing, neither what was made before nor after', async () => {
  const keys = await open()
  const { publicKey } = await keys.signer('log')
  const before = readFileSync(file('store-key.json'), 'utf8')
  const newPassphrase = 'the new passphrase of the keys'
  await rewrapKeyStore(folder, { passphrase, newPassphrase })
  await expect(open()).rejects.toEqual(refused('does not open store-key.json'))
  expect((await (await open({ passphrase: newPassphrase })).signer('log')).publicKey).toEqual(publicKey)
  // Whoever kept the old file and the old passphrase has the old sealing key, which seals nothing any more.
  await writeFile(file('store-key.json'), before)
  await expect(open()).rejects.toEqual(refused('sealed for another folder'))
})

test('a new passphrase that was interrupted leaves every key usable, and done again it ends well', async () => {
  const keys = await open()
  const names = ['a', 'b', 'log', 'z']
  const before = await Promise.all(names.map((name) => keys.signer(name)))
  const newPassphrase = 'the new passphrase of the keys'
  // A folder where a file is to be written.
  await mkdir(file('log.key.sealed.partial'))
  await expect(rewrapKeyStore(folder, { passphrase, newPassphrase })).rejects.toMatchObject({ code: 'EISDIR' })
  await rmdir(file('log.key.sealed.partial'))
  const check = async (store: KeyStore) => {
    const after = await Promise.all(names.map((name) => store.signer(name)))
    expect(after.map(({ publicKey }) => publicKey)).toEqual(before.map(({ publicKey }) => publicKey))
  }
  await check(await open({ passphrase: newPassphrase }))
  await rewrapKeyStore(folder, { passphrase: newPassphrase, newPassphrase })
  await check(await open({ passphrase: newPassphrase }))
  const sealedBy = readdirSync(folder)
    .filter((name) => name.endsWith('.sealed'))
    .map((name) => (JSON.parse(readFileSync(file(name), 'utf8')) as { store_key: string }).store_key)
  expect(new Set(sealedBy).size).toBe(1)
})

test('a damaged file stops a new passphrase before anything is changed', async () => {
  await (await open()).signer('log')
  await writeFile(file('log.key.sealed'), '{}')
  await expect(rewrapKeyStore(folder, { passphrase, newPassphrase: 'the new passphrase of the keys' })).rejects.toEqual(
    refused('log.key.sealed is damaged'),
  )
  await rm(file('log.key.sealed'))
  await expect((await open()).signer('log')).rejects.toEqual(refused('is gone'))
})
