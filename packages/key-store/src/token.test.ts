import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, sha256, toHex, utf8 } from '@tillit/codec'
import { verifySignature } from '@tillit/keys'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type KeyStore, openKeyStore, type TokenOptions } from './index.ts'
import { loadPkcs11 } from './load-pkcs11.ts'
import { recoverableSignature } from './recoverable-signature.ts'
import { findSoftHsm, makeToken, useSoftHsm } from './softhsm.fixture.ts'
import { openToken } from './token.ts'

const modulePath = findSoftHsm()
// biome-ignore lint/suspicious/noConsole: the reason for a skip is printed
if (modulePath === null) console.log('SoftHSM is not installed here, so the tests with a token are skipped')

const passphrase = 'a passphrase that is long enough'
const message = utf8('message')
const tokens = mkdtempSync(join(tmpdir(), 'tillit-softhsm-'))
let folder: string
let token: TokenOptions
let count = 0
const opened: KeyStore[] = []

async function open(options: { token?: TokenOptions | null } = {}): Promise<KeyStore> {
  const keys = await openKeyStore({ folder, passphrase, token, now: () => new Date(), ...options })
  opened.push(keys)
  return keys
}

describe.skipIf(modulePath === null)('keys in a token', () => {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tillit-keys-'))
    // SoftHSM reads where its tokens are when it is initialised, which is once for all these tests.
    if (count === 0) useSoftHsm(tokens)
    token = await makeToken(modulePath ?? '', `city ${count++}`)
  })
  afterEach(async () => {
    for (const keys of opened.splice(0)) await keys.close()
    rmSync(folder, { recursive: true })
  })

  afterAll(() => rmSync(tokens, { recursive: true }))

  test.each(['EdDSA', 'ES256'] as const)(
    'a key for %s is made in the token, signs there, and is found again',
    async (alg) => {
      const signer = await (await open()).signer('log', alg)
      const again = await (await open()).signer('log', alg)
      expect(again.publicKey).toEqual(signer.publicKey)
      const signature = await again.sign(message)
      expect(verifySignature(signer.publicKey, message, signature)).toBe(true)
      expect(verifySignature(signer.publicKey, utf8('another'), signature)).toBe(false)
    },
  )

  test('the account of a ledger signs so that the key comes back from digest and signature', async () => {
    const [account] = await (await open()).secp256k1Signers('anchor')
    if (account === undefined) throw new Error('no account')
    for (let round = 0; round < 20; round++) {
      const digest = sha256(utf8(`transaction ${round}`))
      const signature = await account.signDigest(digest)
      expect(signature).toHaveLength(65)
      const read = secp256k1.Signature.fromBytes(signature.slice(0, 64), 'compact')
      expect(read.hasHighS()).toBe(false)
      const point = read.addRecoveryBit(signature[64] ?? 9).recoverPublicKey(digest)
      expect(point.toBytes(false)).toEqual(account.publicKey)
    }
  })

  test('a private key does not leave the token', async () => {
    const keys = await open()
    await keys.signer('log')
    await expect(keys.privateJwks('log')).rejects.toMatchObject({ code: 'invalid-configuration' })
    const pkcs11 = await loadPkcs11()
    const module = new pkcs11.PKCS11()
    module.load(token.modulePath)
    const slot = module
      .C_GetSlotList(true)
      .find((each) => module.C_GetTokenInfo(each).label.trim() === token.tokenLabel)
    const session = module.C_OpenSession(slot ?? Buffer.alloc(0), pkcs11.CKF_SERIAL_SESSION)
    module.C_FindObjectsInit(session, [{ type: pkcs11.CKA_CLASS, value: pkcs11.CKO_PRIVATE_KEY }])
    const [key] = module.C_FindObjects(session, 2)
    module.C_FindObjectsFinal(session)
    const [label, extractable, sensitive] = module.C_GetAttributeValue(session, key ?? Buffer.alloc(0), [
      { type: pkcs11.CKA_LABEL },
      { type: pkcs11.CKA_EXTRACTABLE },
      { type: pkcs11.CKA_SENSITIVE },
    ])
    expect(label?.value.toString()).toBe('log.1')
    expect([extractable?.value[0], sensitive?.value[0]]).toEqual([0, 1])
    expect(() => module.C_GetAttributeValue(session, key ?? Buffer.alloc(0), [{ type: pkcs11.CKA_VALUE }])).toThrow(
      'CKR_ATTRIBUTE_SENSITIVE',
    )
    module.C_CloseSession(session)
  })

  test('what a token cannot hold stays in the encrypted files', async () => {
    const keys = await open()
    await keys.mlDsa44Signer('witness')
    await keys.privateJwks('tokens')
    await keys.signer('log')
    await keys.rotate('tokens', { overlapSeconds: 60 })
    expect((await keys.list()).map(({ name, version, held }) => `${name}.${version} ${held}`)).toEqual([
      ...['log.1 token', 'tokens.2 file', 'tokens.1 file', 'witness.1 file'],
    ])
    expect(await keys.privateJwks('tokens')).toHaveLength(2)
  })

  test('many signatures asked for at once come out right, one after the other', async () => {
    const keys = await open()
    const signers = [await keys.signer('log'), await keys.signer('registrar', 'ES256')]
    const messages = Array.from({ length: 40 }, (_, index) => utf8(`message ${index}`))
    const verdicts = await Promise.all(
      messages.flatMap((each) =>
        signers.map(async ({ publicKey, sign }) => verifySignature(publicKey, each, await sign(each))),
      ),
    )
    expect(verdicts).toEqual(verdicts.map(() => true))
  })

  test('a session that was lost is opened again, and the key found again', async () => {
    const signer = await (await open()).signer('log')
    for (let round = 0; round < 3; round++) {
      await closeAllSessions(token)
      expect(verifySignature(signer.publicKey, message, await signer.sign(message))).toBe(true)
    }
  })

  test('a rotation makes the next version in the token, and what has ended is destroyed there', async () => {
    const keys = await open()
    const old = await keys.signer('log')
    await keys.rotate('log', { overlapSeconds: 3600 })
    const [active, retiring] = await keys.signers('log')
    expect(retiring?.publicKey).toEqual(old.publicKey)
    for (const signer of [active, retiring])
      expect(
        verifySignature(signer?.publicKey ?? old.publicKey, message, (await signer?.sign(message)) ?? message),
      ).toBe(true)
    const before = objectsOf(tokens)
    await keys.rotate('log', { overlapSeconds: 0 })
    // Private and public half of the version that ended went; those of the next one came.
    expect(objectsOf(tokens)).toBe(before)
    expect((await keys.list()).map(({ version }) => version)).toEqual([3, 1])
  })

  test('a key that began in a file moves into the token with its next version', async () => {
    const inFile = await (await open({ token: null })).signer('log')
    const keys = await open()
    expect((await keys.signer('log')).publicKey).toEqual(inFile.publicKey)
    await keys.rotate('log', { overlapSeconds: 3600 })
    expect((await keys.list()).map(({ held }) => held)).toEqual(['token', 'file'])
    expect(await keys.signers('log')).toHaveLength(2)
  })

  test('a wrong PIN is said, and the right one still opens the token', async () => {
    await expect(open({ token: { ...token, pin: '00000000' } })).rejects.toMatchObject({
      code: 'invalid-configuration',
      message: expect.stringContaining('refuses the PIN'),
    })
    expect(await open()).toBeDefined()
  })

  test('a token, a library or a key that is not there is named', async () => {
    const wrong = (message: string) => ({ code: 'invalid-configuration', message: expect.stringContaining(message) })
    await expect(open({ token: { ...token, tokenLabel: 'none' } })).rejects.toMatchObject(
      wrong('no token with the label'),
    )
    await expect(open({ token: { ...token, modulePath: '/dev/null' } })).rejects.toMatchObject(
      wrong('/dev/null is no PKCS#11 library'),
    )
    await (await open()).signer('log')
    await expect((await open({ token: null })).signer('log')).rejects.toMatchObject(wrong('set KEY_STORE=pkcs11'))
    const other = await makeToken(modulePath ?? '', `other ${count++}`)
    await closeAllSessions(token)
    await expect((await open({ token: other })).signer('log')).rejects.toMatchObject(
      wrong('The token has no key log.1'),
    )
  })

  test('a token that was closed signs no more', async () => {
    const keys = await open()
    const signer = await keys.signer('log')
    await keys.close()
    await expect(signer.sign(message)).rejects.toMatchObject({ code: 'key-store-unavailable' })
    await keys.close()
  })

  test('two keys of one label in one token are told apart', async () => {
    const first = await openToken(token)
    const [one, two] = [await first.generate('log.1', 'EdDSA'), await first.generate('log.1', 'EdDSA')]
    expect(one.id).not.toBe(two.id)
    const signature = await first.sign({ label: 'log.1', id: two.id, alg: 'EdDSA' }, message)
    expect(verifySignature({ alg: 'EdDSA', bytes: two.publicKey }, message, signature)).toBe(true)
    await first.close()
  })
})

test('the recovery id is found for every key and digest, and s is brought into the lower half', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((secret) => secp256k1.utils.isValidSecretKey(secret)),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.boolean(),
      (secret, digest, high) => {
        const expected = secp256k1.sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' })
        const { r, s } = secp256k1.Signature.fromBytes(expected, 'recovered')
        const given = new secp256k1.Signature(r, high ? secp256k1.Point.CURVE().n - s : s).toBytes('compact')
        const found = recoverableSignature(given, digest, secp256k1.getPublicKey(secret, false))
        expect(toHex(found)).toBe(toHex(concat(expected.slice(1), expected.slice(0, 1))))
      },
    ),
    { numRuns: 30 },
  )
})

test('a signature by another key is not taken for the one that was asked for', () => {
  const digest = sha256(message)
  const signature = secp256k1.sign(digest, new Uint8Array(32).fill(1), { prehash: false })
  const other = secp256k1.getPublicKey(new Uint8Array(32).fill(2), false)
  expect(() => recoverableSignature(signature, digest, other)).toThrow(
    expect.objectContaining({ code: 'key-store-unavailable' }),
  )
})

/** As if the token had been taken out and put back. */
async function closeAllSessions({ modulePath: path, tokenLabel }: TokenOptions): Promise<void> {
  const pkcs11 = await loadPkcs11()
  const module = new pkcs11.PKCS11()
  module.load(path)
  for (const slot of module.C_GetSlotList(true))
    if (module.C_GetTokenInfo(slot).label.trim() === tokenLabel) module.C_CloseAllSessions(slot)
}

function objectsOf(place: string): number {
  return readdirSync(place, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.object') && readFileSync(join(place, name)).length > 0,
  ).length
}
