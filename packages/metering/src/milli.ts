import { Problem } from '@tillit/problem'

/**
 * Values are kept as whole thousandths of the stream's unit (mWh for active energy), because sums of integers are exact: by
 * day, by month and by year they agree to the last digit. Finer digits are rounded, half away from zero: meters do not
 * resolve them, and files hold them only as the noise of someone's binary fractions.
 */
export const milliPerUnit = 1000

/** Largest magnitude of one value, in units: what `Reading` in the schemas allows. */
const maxUnits = 1e12

/** From a number in units. Throws Problem invalid-reading when it is not finite or over 1e12. */
export function toMilli(units: number): number {
  if (!Number.isFinite(units) || Math.abs(units) > maxUnits) throw outOfRange()
  const magnitude = Math.round(Math.abs(units) * milliPerUnit)
  return units < 0 ? 0 - magnitude : magnitude
}

/** In units; thousandths become exact decimals of at most three places. */
export function fromMilli(milli: number): number {
  return milli / milliPerUnit
}

/**
 * From decimal text × 10^power, digit by digit, so that no binary fraction comes between. Gives undefined when the text
 * is no decimal number. Throws Problem invalid-reading when the value is over 1e12 units.
 */
export function parseMilli(text: string, power = 0): number | undefined {
  const match = /^([+-]?)(\d{1,32})(?:\.(\d{0,32}))?$/.exec(text)
  if (!match || Math.abs(power) > 24) return undefined
  const [, sign, whole = '', fraction = ''] = match
  const digits = BigInt(whole + fraction)
  const shift = power + 3 - fraction.length
  const magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : roundedQuotient(digits, 10n ** BigInt(-shift))
  if (magnitude > BigInt(maxUnits) * BigInt(milliPerUnit)) throw outOfRange()
  return sign === '-' && magnitude > 0n ? -Number(magnitude) : Number(magnitude)
}

/** Adds, refusing a sum that would no longer be exact (over 9 PWh): better no answer than a wrong one. */
export function addMilli(a: number, b: number): number {
  const sum = a + b
  if (!Number.isSafeInteger(sum)) throw new Problem('invalid-reading', { detail: 'The sum of the values is too large' })
  return sum
}

function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
  return (dividend * 2n + divisor) / (divisor * 2n)
}

function outOfRange(): Problem {
  return new Problem('invalid-reading', { detail: 'The value is not a number between -1e12 and 1e12' })
}
