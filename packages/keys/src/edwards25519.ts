import { jacobiSymbol } from './jacobi-symbol.ts'
import { littleEndian } from './little-endian.ts'

/** RFC 8032 section 5.1: the prime of the field, and d of the curve -x² + y² = 1 + dx²y². */
const p = 2n ** 255n - 19n
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n

/**
 * Whether 32 bytes, canonical and not of small order, are a point of the curve. That is so when x² = (y² - 1) / (dy² + 1) has a
 * root, and the quotient is a square when the product is: asking for the Jacobi symbol costs a tenth of taking the root
 * (RFC 8032 section 5.1.3), and less than a tenth of verifying. Step 4 of that section cannot apply: x = 0 is of small order.
 */
export function isOnCurve(canonical: Uint8Array): boolean {
  const y = BigInt.asUintN(255, littleEndian(canonical))
  const ySquared = (y * y) % p
  const product = ((ySquared - 1n) * (((d * ySquared) % p) + 1n)) % p
  return jacobiSymbol(product, p) === 1
}
