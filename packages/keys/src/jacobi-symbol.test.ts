import { Point } from '@noble/ed25519'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isOnCurve } from './edwards25519.ts'
import { jacobiSymbol } from './jacobi-symbol.ts'
import { hasSmallOrder } from './weak-key.ts'

const p = 2n ** 255n - 19n

/** The textbook's algorithm: take out twos, swap by reciprocity, reduce. */
function textbookSymbol(a: bigint, n: bigint): number {
  let sign = 1
  a %= n
  while (a !== 0n) {
    while (a % 2n === 0n) {
      a /= 2n
      if (n % 8n === 3n || n % 8n === 5n) sign = -sign
    }
    ;[a, n] = [n, a]
    if (a % 4n === 3n && n % 4n === 3n) sign = -sign
    a %= n
  }
  return n === 1n ? sign : 0
}

test('the Jacobi symbol of every small pair is that of the textbook', () => {
  for (let n = 1n; n < 200n; n += 2n) {
    for (let a = 0n; a < 2n * n; a++) expect(jacobiSymbol(a, n), `(${a}/${n})`).toBe(textbookSymbol(a, n))
  }
})

test('the Jacobi symbol of numbers of any two sizes is that of the textbook', () => {
  const sized = fc.integer({ min: 1, max: 255 }).chain((bits) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }))
  fc.assert(
    fc.property(sized, sized, (a, half) => {
      const n = BigInt.asUintN(255, half) | 1n
      expect(jacobiSymbol(a, n)).toBe(textbookSymbol(a, n))
    }),
    { numRuns: 2000 },
  )
})

test('the Jacobi symbol is right where rounded sizes cannot tell which of two numbers is larger', () => {
  const large = fc.bigInt({ min: 2n ** 200n, max: 2n ** 254n })
  fc.assert(
    fc.property(large, fc.bigInt({ min: -70n, max: 70n }), fc.nat(190), (half, offset, shift) => {
      const n = half | 1n
      const a = n + (offset << BigInt(shift))
      fc.pre(a >= 0n && a < 2n ** 255n)
      expect(jacobiSymbol(a, n)).toBe(textbookSymbol(a, n))
      expect(jacobiSymbol(a, p)).toBe(textbookSymbol(a, p))
    }),
    { numRuns: 2000 },
  )
})

test('a common factor has the symbol zero', () => {
  expect(jacobiSymbol(0n, p)).toBe(0)
  expect(jacobiSymbol(p, p)).toBe(0)
  expect(jacobiSymbol(3n * 2n ** 200n, 3n * (2n ** 199n + 1n))).toBe(0)
})

test('32 bytes are a point of the curve when the library finds its root', () => {
  let points = 0
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      fc.pre(!hasSmallOrder(bytes))
      const found = hasRoot(bytes)
      if (found) points++
      expect(isOnCurve(bytes)).toBe(found)
    }),
    { numRuns: 1000 },
  )
  expect(points).toBeGreaterThan(300)
  expect(points).toBeLessThan(700)
})

function hasRoot(bytes: Uint8Array): boolean {
  try {
    Point.fromBytes(bytes)
    return true
  } catch {
    return false
  }
}
