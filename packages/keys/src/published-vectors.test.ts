import { describe, expect, test } from 'vitest'
import * as browser from './backend-browser.ts'
import { ed25519PublicKey, mlDsa44PublicKey, p256PublicKey, verifyMlDsa44 } from './index.ts'
import { loadLibsodium, readVectors, type Vector, verdictBeside, verdictsOf } from './verdicts.fixture.ts'

const libsodium = loadLibsodium()

describe.each([
  ['ed25519-wycheproof', 150],
  ['ed25519-speccheck', 15],
])('every signature of %s', (name, count) => {
  const vectors = readVectors(name)

  test('is there', () => {
    expect(vectors).toHaveLength(count)
  })

  test('gets the recorded verdict from every backend', async () => {
    for (const vector of vectors) {
      expect(await verdictsOf(ed25519PublicKey, vector), vector.name).toEqual(unanimous(vector))
    }
  })

  test('gets the recorded verdict when all are verified at once', async () => {
    const verdicts = await Promise.all(vectors.map((vector) => verdictBeside(ed25519PublicKey, vector)))
    expect(verdicts).toEqual(vectors.map(({ verdict }) => verdict))
  })

  test.runIf(libsodium)('gets the recorded verdict from libsodium', () => {
    for (const vector of vectors) expect(libsodium?.(vector), vector.name).toBe(vector.verdict)
  })
})

test('every P-256 signature of Wycheproof gets its verdict from every backend', async () => {
  const vectors = readVectors('p256-wycheproof')
  expect(vectors).toHaveLength(262)
  for (const vector of vectors) {
    expect(await verdictsOf(p256PublicKey, vector), vector.name).toEqual(unanimous(vector))
  }
})

test('every ML-DSA-44 signature of Wycheproof under an empty context gets its verdict from both backends', () => {
  const vectors = readVectors('ml-dsa-44-wycheproof')
  expect(vectors).toHaveLength(173)
  for (const { name, key, message, signature, verdict } of vectors) {
    if (key.length !== 1312) {
      expect(() => mlDsa44PublicKey(key), name).toThrow('1312 bytes')
      expect(verdict, name).toBe(false)
      continue
    }
    const parsed = mlDsa44PublicKey(key)
    expect(verifyMlDsa44(parsed, message, signature), name).toBe(verdict)
    const there = signature.length === 2420 && browser.verifyMlDsa44Raw(parsed, message, signature)
    expect(there, name).toBe(verdict)
  }
})

function unanimous({ verdict }: Vector) {
  return { node: verdict, browser: verdict, async: verdict }
}
