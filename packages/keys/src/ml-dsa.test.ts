import { readFileSync } from 'node:fs'
import { fromBase64, utf8 } from '@tillit/codec'
import { isProblem, type ProblemCode } from '@tillit/problem'
import { expect, test } from 'vitest'
import * as browser from './backend-browser.ts'
import * as node from './backend-node.ts'
import { mlDsa44PublicKey, mlDsa44SignerFromSeed, verifyMlDsa44 } from './index.ts'
import * as noble from './ml-dsa-noble.ts'
import { vectorFile } from './verdicts.fixture.ts'

const backends = { node, browser }
const seed = Uint8Array.from({ length: 32 }, (_, i) => i)
const message = utf8('a checkpoint')

async function codeOf(run: () => unknown): Promise<ProblemCode | 'accepted'> {
  try {
    await run()
  } catch (error) {
    if (isProblem(error)) return error.code
    throw error
  }
  return 'accepted'
}

test('the ML-DSA of Node serves where there is one', () => {
  expect(node.verifyMlDsa44Raw).not.toBe(noble.verifyMlDsa44Raw)
  expect(browser.verifyMlDsa44Raw).toBe(noble.verifyMlDsa44Raw)
})

test.each(['node', 'browser'] as const)('the %s backend makes of a seed the key that was published', (name) => {
  const { seeds } = JSON.parse(readFileSync(vectorFile('ml-dsa-44-seeds'), 'utf8')) as {
    seeds: { seed: string; key: string }[]
  }
  expect(seeds.length).toBeGreaterThan(1)
  for (const vector of seeds) {
    expect(backends[name].mlDsa44FromSeed(fromBase64(vector.seed)).publicKey).toEqual(fromBase64(vector.key))
  }
})

test.each([
  ['node', 'browser'],
  ['browser', 'node'],
] as const)('what the %s backend signs, the %s backend verifies', (signing, verifying) => {
  const { publicKey, sign } = backends[signing].mlDsa44FromSeed(seed)
  const { verifyMlDsa44Raw } = backends[verifying]
  const key = mlDsa44PublicKey(publicKey)
  const signature = sign(message)
  expect(verifyMlDsa44Raw(key, message, signature)).toBe(true)
  expect(verifyMlDsa44Raw(key, utf8('another'), signature)).toBe(false)
  // Hedged (FIPS 204 section 3.4): the same message is not signed the same way twice.
  expect(sign(message)).not.toEqual(signature)
})

test('an ML-DSA-44 signature that is changed, cut, longer or under another key does not verify', async () => {
  const signer = await mlDsa44SignerFromSeed(seed)
  const other = await mlDsa44SignerFromSeed(new Uint8Array(32))
  const signature = await signer.sign(message)
  expect(signature).toHaveLength(2420)
  expect(verifyMlDsa44(signer.publicKey, message, signature)).toBe(true)
  expect(verifyMlDsa44(other.publicKey, message, signature)).toBe(false)
  for (const at of [0, 31, 32, 1000, 2335, 2336, 2419]) {
    const changed = signature.slice()
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(verifyMlDsa44(signer.publicKey, message, changed), `byte ${at}`).toBe(false)
  }
  const longer = new Uint8Array(2421)
  longer.set(signature)
  for (const wrong of [new Uint8Array(0), signature.slice(1), longer]) {
    expect(verifyMlDsa44(signer.publicKey, message, wrong)).toBe(false)
  }
})

test('an ML-DSA-44 key or seed of another length is not well formed', async () => {
  for (const length of [0, 32, 1311, 1313, 1952]) {
    expect(await codeOf(() => mlDsa44PublicKey(new Uint8Array(length)))).toBe('invalid-key')
  }
  for (const length of [0, 31, 33, 64]) {
    expect(await codeOf(() => mlDsa44SignerFromSeed(new Uint8Array(length)))).toBe('invalid-key')
  }
})

test('an ML-DSA-44 key does not change with the Buffer it was made from', async () => {
  const bytes = Buffer.from((await mlDsa44SignerFromSeed(seed)).publicKey.bytes)
  const key = mlDsa44PublicKey(bytes)
  bytes.fill(0)
  expect(key.bytes.some((byte) => byte !== 0)).toBe(true)
})
