import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat } from '@tillit/codec'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ed25519PublicKey, signerFromSeed, verifySignature } from './index.ts'
import { littleEndian } from './little-endian.ts'
import { loadLibsodium, verdictsOf } from './verdicts.fixture.ts'

const { n: order, p } = Point.CURVE()
const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
const libsodium = loadLibsodium()

function bytesOf(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((number >> BigInt(8 * index)) & 255n))
}

function encode(scalar: bigint, torsions: number): Uint8Array {
  let point = scalar === 0n ? Point.ZERO : Point.BASE.multiply(scalar)
  for (let i = 0; i < torsions; i++) point = point.add(torsion)
  return point.toBytes()
}

/** How the half of a signature or a key is told: mostly a·B + T, and now and then y from 0 to 18 written as y + p. */
const scalar = fc.oneof(fc.constantFrom(0n, 1n, order - 1n), fc.bigInt({ min: 1n, max: order - 1n }))
const torsions = fc.oneof(fc.constant(0), fc.nat(7))
const nonCanonical = seldom(fc.record({ y: fc.bigInt(0n, 18n), sign: fc.boolean() }))
const flippedBit = seldom(fc.nat(3 * 256 - 1))

function seldom<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })
}

const attempt = fc
  .record({
    secret: scalar,
    nonce: scalar,
    keyTorsions: torsions,
    nonceTorsions: torsions,
    otherKey: nonCanonical,
    otherR: nonCanonical,
    addedOrders: seldom(fc.constantFrom(1n, 2n, 15n)),
    flippedBit,
    message: fc.uint8Array({ maxLength: 40 }),
  })
  .map((choice) => {
    const key = choice.otherKey ? nonCanonicalBytes(choice.otherKey) : encode(choice.secret, choice.keyTorsions)
    const r = choice.otherR ? nonCanonicalBytes(choice.otherR) : encode(choice.nonce, choice.nonceTorsions)
    const challenge = littleEndian(sha512(concat(r, key, choice.message))) % order
    const s = ((choice.nonce + challenge * choice.secret) % order) + (choice.addedOrders ?? 0n) * order
    const whole = concat(key, r, bytesOf(BigInt.asUintN(256, s)))
    if (choice.flippedBit !== null) {
      const at = choice.flippedBit >> 3
      whole[at] = (whole[at] ?? 0) ^ (1 << (choice.flippedBit & 7))
    }
    return { key: whole.slice(0, 32), signature: whole.slice(32), message: choice.message }
  })

function nonCanonicalBytes({ y, sign }: { y: bigint; sign: boolean }): Uint8Array {
  return bytesOf((y + p) | (sign ? 1n << 255n : 0n))
}

test('every backend gives the verdict of libsodium on signatures made to divide them', async () => {
  let accepted = 0
  let asked = 0
  await fc.assert(
    fc.asyncProperty(attempt, async (made) => {
      const verdicts = await verdictsOf(ed25519PublicKey, made)
      const verdict = libsodium ? libsodium(made) : verdicts.node
      expect(verdicts).toEqual({ node: verdict, browser: verdict, async: verdict })
      asked++
      if (verdict) accepted++
    }),
    { numRuns: 400 },
  )
  // Were all refused, or none, the property would say little.
  expect(accepted).toBeGreaterThan(asked / 20)
  expect(accepted).toBeLessThan(asked * 0.8)
})

test('a signature under a key of mixed order counts where it holds without the cofactor only', async () => {
  const verdicts = new Set<string>()
  for (let i = 0; i < 32; i++) {
    const key = encode(12345n, 1)
    const r = encode(678n, i % 8)
    const message = Uint8Array.of(i)
    const challenge = littleEndian(sha512(concat(r, key, message)))
    const signature = concat(r, bytesOf((678n + (challenge % order) * 12345n) % order))
    // sB = R + kA needs (i + k) torsions to be none.
    const holds = (BigInt(i % 8) + (challenge % order)) % 8n === 0n
    const made = { key, message, signature }
    expect(await verdictsOf(ed25519PublicKey, made)).toEqual({ node: holds, browser: holds, async: holds })
    if (libsodium) expect(libsodium(made)).toBe(holds)
    verdicts.add(String(holds))
  }
  expect([...verdicts].sort()).toEqual(['false', 'true'])
})

test('verifying leaves the signature as it was, also when it is a Buffer', async () => {
  const message = new Uint8Array(5)
  for (let i = 0; i < 8; i++) {
    const signer = await signerFromSeed(new Uint8Array(32).fill(i))
    const signature = Buffer.from(await signer.sign(message))
    const before = Uint8Array.from(signature)
    expect(verifySignature(signer.publicKey, message, signature)).toBe(true)
    expect(Uint8Array.from(signature)).toEqual(before)
  }
})

test('a key does not change with the Buffer it was made from', async () => {
  const { publicKey } = await signerFromSeed(new Uint8Array(32).fill(99))
  const key = encode(4711n, 0)
  const bytes = Buffer.from(key)
  const parsed = ed25519PublicKey(bytes)
  bytes.set(publicKey.bytes)
  expect(parsed.bytes).toEqual(key)
  expect(ed25519PublicKey(key).bytes).toEqual(key)
})
