import { Problem } from '@tillit/problem'

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Longest text decoded, in characters: the work grows with the square of the length. */
const maxBase58Characters = 256

const values = valuesOf(alphabet)

/** Work goes by groups: three bytes and four digits each fill a limb, and a product of two limbs is still an exact number. */
const bytesPerGroup = 3
const digitsPerGroup = 4
const byteBase = 2 ** 24
const digitBase = 58 ** 4

/** Base58 in the Bitcoin alphabet, as multibase `z` uses it (without the prefix). */
export function toBase58(bytes: Uint8Array): string {
  const limbs: number[] = []
  // The first group is the short one, so that all others are whole.
  for (
    let at = 0, end = bytes.length % bytesPerGroup || bytesPerGroup;
    at < bytes.length;
    at = end, end += bytesPerGroup
  ) {
    let carry = 0
    for (let i = at; i < end; i++) carry = carry * 256 + (bytes[i] ?? 0)
    carryInto(limbs, carry, { from: end - at === bytesPerGroup ? byteBase : 256 ** (end - at), to: digitBase })
  }
  let text = ''
  for (const limb of limbs) text = digitsOf(limb) + text
  return '1'.repeat(zerosBefore(bytes)) + text.replace(/^1+/, '')
}

/** Throws Problem invalid-request on a foreign character or a text over 256 characters. */
export function fromBase58(text: string): Uint8Array {
  if (text.length > maxBase58Characters) throw new Problem('invalid-request', { detail: 'The base58 text is too long' })
  const limbs: number[] = []
  for (
    let at = 0, end = text.length % digitsPerGroup || digitsPerGroup;
    at < text.length;
    at = end, end += digitsPerGroup
  ) {
    let carry = 0
    for (let i = at; i < end; i++) carry = carry * 58 + digitAt(text, i)
    carryInto(limbs, carry, { from: end - at === digitsPerGroup ? digitBase : 58 ** (end - at), to: byteBase })
  }
  const bytes = new Uint8Array(limbs.length * bytesPerGroup)
  limbs.forEach((limb, index) => {
    const at = bytes.length - bytesPerGroup * (index + 1)
    bytes[at] = limb >> 16
    bytes[at + 1] = (limb >> 8) & 255
    bytes[at + 2] = limb & 255
  })
  let ones = 0
  while (ones < text.length && text.charAt(ones) === '1') ones++
  const number = bytes.subarray(zerosBefore(bytes))
  const whole = new Uint8Array(ones + number.length)
  whole.set(number, ones)
  return whole
}

/** limbs · from + carry, where the limbs are in base `to`, the lowest first. */
function carryInto(limbs: number[], carry: number, { from, to }: { from: number; to: number }): void {
  let left = carry
  for (let i = 0; i < limbs.length; i++) {
    const value = (limbs[i] ?? 0) * from + left
    left = Math.floor(value / to)
    limbs[i] = value - left * to
  }
  while (left > 0) {
    limbs.push(left % to)
    left = Math.floor(left / to)
  }
}

function digitsOf(limb: number): string {
  let text = ''
  for (let i = 0, rest = limb; i < digitsPerGroup; i++, rest = Math.floor(rest / 58))
    text = alphabet.charAt(rest % 58) + text
  return text
}

function digitAt(text: string, at: number): number {
  const value = values[text.charCodeAt(at)] ?? -1
  if (value < 0) throw new Problem('invalid-request', { detail: 'The text is not base58' })
  return value
}

function zerosBefore(bytes: Uint8Array): number {
  let zeros = 0
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++
  return zeros
}

function valuesOf(characters: string): Int8Array {
  const table = new Int8Array(128).fill(-1)
  for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] = i
  return table
}
