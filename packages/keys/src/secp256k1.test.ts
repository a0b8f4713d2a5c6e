import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, fromHex, sha256, toBase58, toBase64url, toHex, utf8 } from '@tillit/codec'
import { isProblem, type ProblemCode } from '@tillit/problem'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseMultikey, parsePublicJwk, secp256k1SignerFromPrivateKey } from './index.ts'

const order = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
const one = Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 1 : 0))
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

function codeOf(run: () => unknown): ProblemCode | 'accepted' {
  try {
    run()
  } catch (error) {
    if (isProblem(error)) return error.code
    throw error
  }
  return 'accepted'
}

test('a secp256k1 signature is the one that RFC 6979 determines', async () => {
  // The value that Bitcoin's libraries test themselves with: secret 1, "Satoshi Nakamoto".
  const signature = await secp256k1SignerFromPrivateKey(one).signDigest(sha256(utf8('Satoshi Nakamoto')))
  expect(toHex(signature.slice(0, 64))).toBe(
    '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8' +
      '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
  )
})

test('the signer is found again from digest and signature, and s is never in the upper half', async () => {
  const halfOrder = secp256k1.Point.CURVE().n / 2n
  const recoveries = new Set<number>()
  await fc.assert(
    fc.asyncProperty(bytes32, bytes32, async (secret, digest) => {
      fc.pre(secp256k1.utils.isValidSecretKey(secret))
      const signer = secp256k1SignerFromPrivateKey(secret)
      const signature = await signer.signDigest(digest)
      expect(signer.publicKey).toHaveLength(65)
      expect(signature).toHaveLength(65)
      expect(BigInt(`0x${toHex(signature.slice(32, 64))}`) <= halfOrder).toBe(true)
      const recovery = signature[64] ?? 255
      recoveries.add(recovery)
      const found = secp256k1.recoverPublicKey(concat(Uint8Array.of(recovery), signature.slice(0, 64)), digest, {
        prehash: false,
      })
      expect(secp256k1.Point.fromBytes(found).toBytes(false)).toEqual(signer.publicKey)
    }),
    { numRuns: 60 },
  )
  expect([...recoveries].sort()).toEqual([0, 1])
})

test('a secp256k1 secret that is zero, not below the order or of another length is refused', () => {
  const beyond = order.slice()
  beyond[31] = (beyond[31] ?? 0) + 1
  for (const secret of [
    new Uint8Array(32),
    order,
    beyond,
    new Uint8Array(32).fill(255),
    one.slice(1),
    new Uint8Array(33),
  ])
    expect(
      codeOf(() => secp256k1SignerFromPrivateKey(secret)),
      toHex(secret),
    ).toBe('invalid-key')
  const largest = order.slice()
  largest[31] = (largest[31] ?? 0) - 1
  expect(codeOf(() => secp256k1SignerFromPrivateKey(largest))).toBe('accepted')
})

test('wiping the secret afterwards does not change the signer, and only 32 bytes are a digest', async () => {
  const secret = Buffer.from(one)
  const signer = secp256k1SignerFromPrivateKey(secret)
  const before = await signer.signDigest(order)
  secret.fill(0)
  expect(await signer.signDigest(order)).toEqual(before)
  await expect(signer.signDigest(utf8('a message'))).rejects.toThrow(RangeError)
})

test('a secp256k1 key binds no person and no device', () => {
  const { publicKey } = secp256k1SignerFromPrivateKey(one)
  const [x, y] = [toBase64url(publicKey.slice(1, 33)), toBase64url(publicKey.slice(33))]
  expect(codeOf(() => parsePublicJwk({ kty: 'EC', crv: 'secp256k1', x, y }))).toBe('unsupported-algorithm')
  expect(codeOf(() => parsePublicJwk({ kty: 'EC', crv: 'P-256', x, y }))).toBe('invalid-key')
  const compressed = secp256k1.Point.fromBytes(publicKey).toBytes(true)
  const multikey = `z${toBase58(concat(Uint8Array.of(0xe7, 0x01), compressed))}`
  expect(multikey.startsWith('zQ3s')).toBe(true)
  expect(codeOf(() => parseMultikey(multikey))).toBe('unsupported-algorithm')
})
