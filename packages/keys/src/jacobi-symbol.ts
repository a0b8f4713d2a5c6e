/**
 * Numbers here are arrays of limbs of 24 bits, least first, so that a limb times a factor stays an exact double. Eleven
 * hold 264 bits: 255 and a sign, which the last limb carries.
 */
const limbCount = 11
const limbBits = 24
const limbBase = 2 ** limbBits

/**
 * Steps taken on the low bits before the whole numbers follow. Each uses up one bit of 32, and the last still reads three;
 * the factors grow to 2^24, so their products with a limb stay below 2^53.
 */
const stepsPerBatch = 24

/** Each step takes at least one of the 510 bits that both numbers have together; this is twice what is ever needed. */
const maxBatches = 48

/**
 * The Jacobi symbol (a/n) of 0 ≤ a < 2^255 and an odd 0 < n < 2^255: 1, -1, or 0 when they have a common factor. It takes a
 * tenth of the time of a power by BigInt, and the time depends on the numbers: not for secrets.
 *
 * Binary Euclid in batches, after T. Pornin, "Optimized Binary GCD for Modular Inversion" (IACR ePrint 2020/972): the steps of
 * a batch look at the low 32 bits, which are exact, and at the sizes, which are rounded. A rounded comparison that goes wrong
 * leaves one number a little negative, never both, and every rule used holds for that too; the batch ends by making it
 * positive again.
 */
export function jacobiSymbol(a: bigint, n: bigint): number {
  const top = toLimbs(a)
  const bottom = toLimbs(n)
  let flips = 0
  for (let batch = 0; batch < maxBatches; batch++) {
    if (isSmall(top, 0)) return isSmall(bottom, 1) ? 1 - 2 * (flips & 1) : 0
    const steps = takeSteps(top, bottom)
    flips ^= steps.flips
    follow(steps, top, bottom)
    if (isNegative(top)) {
      // (-1/n) is -1 when n is 3 modulo 4.
      flips ^= (bottom[0] ?? 0) >> 1
      negate(top)
    }
    // The symbol is that of the bottom's absolute value.
    if (isNegative(bottom)) negate(bottom)
  }
  return 0
}

interface Steps {
  /** The numbers after the batch are sums of those before it with these factors, over 2^24. */
  topOfTop: number
  bottomOfTop: number
  topOfBottom: number
  bottomOfBottom: number
  /** Its last bit says whether the symbol changed its sign. */
  flips: number
}

function takeSteps(top: Float64Array, bottom: Float64Array): Steps {
  let lowTop = lowBits(top)
  let lowBottom = lowBits(bottom)
  let sizeTop = size(top)
  let sizeBottom = size(bottom)
  let topOfTop = 1
  let bottomOfTop = 0
  let topOfBottom = 0
  let bottomOfBottom = 1
  let flips = 0
  for (let step = 0; step < stepsPerBatch; step++) {
    if (lowTop & 1) {
      if (sizeTop < sizeBottom) {
        // Quadratic reciprocity: the sign changes when both are 3 modulo 4.
        flips ^= (lowTop & lowBottom) >> 1
        ;[lowTop, lowBottom] = [lowBottom, lowTop]
        ;[sizeTop, sizeBottom] = [sizeBottom, sizeTop]
        ;[topOfTop, topOfBottom] = [topOfBottom, topOfTop]
        ;[bottomOfTop, bottomOfBottom] = [bottomOfBottom, bottomOfTop]
      }
      lowTop = (lowTop - lowBottom) | 0
      sizeTop -= sizeBottom
      topOfTop -= topOfBottom
      bottomOfTop -= bottomOfBottom
    }
    // (2/n) is -1 when n is 3 or 5 modulo 8.
    flips ^= (lowBottom + 2) >> 2
    lowTop >>= 1
    sizeTop /= 2
    topOfBottom *= 2
    bottomOfBottom *= 2
  }
  return { topOfTop, bottomOfTop, topOfBottom, bottomOfBottom, flips }
}

/** Makes both numbers what the steps of a batch made of them. The divisions are exact. In place: arrays cost more than sums. */
function follow(steps: Steps, top: Float64Array, bottom: Float64Array): void {
  const { topOfTop, bottomOfTop, topOfBottom, bottomOfBottom } = steps
  let topCarry = 0
  let bottomCarry = 0
  for (let i = 0; i < limbCount; i++) {
    const t = top[i] ?? 0
    const b = bottom[i] ?? 0
    const topSum = t * topOfTop + b * bottomOfTop + topCarry
    const bottomSum = t * topOfBottom + b * bottomOfBottom + bottomCarry
    topCarry = Math.floor(topSum / limbBase)
    bottomCarry = Math.floor(bottomSum / limbBase)
    if (i === 0) continue
    top[i - 1] = topSum - topCarry * limbBase
    bottom[i - 1] = bottomSum - bottomCarry * limbBase
  }
  top[limbCount - 1] = topCarry
  bottom[limbCount - 1] = bottomCarry
}

function negate(limbs: Float64Array): void {
  let carry = 0
  for (let i = 0; i < limbCount - 1; i++) {
    const value = carry - (limbs[i] ?? 0)
    carry = Math.floor(value / limbBase)
    limbs[i] = value - carry * limbBase
  }
  limbs[limbCount - 1] = carry - (limbs[limbCount - 1] ?? 0)
}

function isNegative(limbs: Float64Array): boolean {
  return (limbs[limbCount - 1] ?? 0) < 0
}

/** Whether the number is the given limb and nothing above it. */
function isSmall(limbs: Float64Array, value: number): boolean {
  if (limbs[0] !== value) return false
  for (let i = 1; i < limbCount; i++) if (limbs[i] !== 0) return false
  return true
}

function lowBits(limbs: Float64Array): number {
  return (limbs[0] ?? 0) | ((limbs[1] ?? 0) << limbBits)
}

function size(limbs: Float64Array): number {
  let sum = 0
  for (let i = limbCount - 1; i >= 0; i--) sum = sum * limbBase + (limbs[i] ?? 0)
  return sum
}

function toLimbs(number: bigint): Float64Array {
  const limbs = new Float64Array(limbCount)
  for (let i = 0; i < limbCount; i++) {
    limbs[i] = Number(BigInt.asUintN(limbBits, number))
    number >>= BigInt(limbBits)
  }
  return limbs
}
