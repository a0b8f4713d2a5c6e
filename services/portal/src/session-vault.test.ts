import { randomBytes } from 'node:crypto'
import { concat, equalBytes } from '@tillit/codec'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cookieOf, newNonce, readSecret, seal, sessionId, unseal } from './session-vault.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const data = { kind: 'signed-in', accessToken: 'a very secret token' }

test('what was sealed under a secret is opened by it', () => {
  fc.assert(
    fc.property(bytes(32), bytes(12), fc.dictionary(fc.string(), fc.string()), (secret, nonce, value) => {
      expect(unseal(seal(value, secret, nonce), secret)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('any other secret opens nothing', () => {
  fc.assert(
    fc.property(bytes(32), bytes(32), bytes(12), (secret, other, nonce) => {
      fc.pre(!equalBytes(secret, other))
      expect(() => unseal(seal(data, secret, nonce), other)).toThrow()
    }),
  )
})

test('a flipped bit anywhere is found', () => {
  const secret = randomBytes(32)
  const sealed = seal(data, secret, newNonce(randomBytes))
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice()
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => unseal(changed, secret)).toThrow()
  }
})

test('a session moved to another row of the table does not open', () => {
  const [secret, other] = [randomBytes(32), randomBytes(32)]
  expect(() => unseal(seal(data, other, newNonce(randomBytes)), secret)).toThrow()
})

test('neither the id nor what is sealed holds the secret or the data in the clear', () => {
  const secret = randomBytes(32)
  const stored = Buffer.from(concat(sessionId(secret), seal(data, secret, newNonce(randomBytes))))
  expect(stored.includes(secret)).toBe(false)
  expect(stored.includes('secret token')).toBe(false)
})

test('a cookie that is not 32 bytes of base64url is no secret', () => {
  const secret = new Uint8Array(randomBytes(32))
  expect(readSecret(cookieOf(secret))).toEqual(secret)
  for (const cookie of [undefined, '', 'x', `${cookieOf(secret)}A`, '='.repeat(43), `${'A'.repeat(42)}B`]) {
    expect(readSecret(cookie)).toBeNull()
  }
})
