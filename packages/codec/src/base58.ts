import { Problem } from '@tillit/problem'

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Longest text decoded, in characters: the work grows with the square of the length. */
const maxBase58Characters = 256

/** Base58 in the Bitcoin alphabet, as multibase `z` uses it (without the prefix). */
export function toBase58(bytes: Uint8Array): string {
  const digits: number[] = []
  for (const byte of bytes) {
    let carry = byte
    for (let i = 0; i < digits.length; i++) {
      carry += (digits[i] ?? 0) << 8
      digits[i] = carry % 58
      carry = Math.floor(carry / 58)
    }
    while (carry > 0) {
      digits.push(carry % 58)
      carry = Math.floor(carry / 58)
    }
  }
  let text = ''
  for (let i = 0; i < bytes.length && bytes[i] === 0; i++) text += '1'
  for (let i = digits.length - 1; i >= 0; i--) text += alphabet.charAt(digits[i] ?? 0)
  return text
}

/** Throws Problem invalid-request on a foreign character or a text over 256 characters. */
export function fromBase58(text: string): Uint8Array {
  if (text.length > maxBase58Characters) throw new Problem('invalid-request', { detail: 'The base58 text is too long' })
  const bytes: number[] = []
  for (const character of text) {
    let carry = alphabet.indexOf(character)
    if (carry < 0) throw new Problem('invalid-request', { detail: 'The text is not base58' })
    for (let i = 0; i < bytes.length; i++) {
      carry += (bytes[i] ?? 0) * 58
      bytes[i] = carry & 255
      carry >>= 8
    }
    while (carry > 0) {
      bytes.push(carry & 255)
      carry >>= 8
    }
  }
  for (let i = 0; i < text.length && text.charAt(i) === '1'; i++) bytes.push(0)
  return new Uint8Array(bytes.reverse())
}
