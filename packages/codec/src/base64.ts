import { Problem } from '@tillit/problem'

const standardAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const urlAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const standardValues = valuesOf(standardAlphabet)
const urlValues = valuesOf(urlAlphabet)

/** Base64url without padding (RFC 4648 section 5). */
export function toBase64url(bytes: Uint8Array): string {
  return encode(bytes, urlAlphabet)
}

/** Strict: no padding, no white space, no unused bits set, so each value has exactly one encoding. */
export function fromBase64url(text: string): Uint8Array {
  return decode(text, urlValues, 'base64url')
}

/** Base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  const text = encode(bytes, standardAlphabet)
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** Strict: padding needed, no white space, no unused bits set. */
export function fromBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) throw malformed('base64')
  const end = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length
  return decode(text.slice(0, end), standardValues, 'base64')
}

function encode(bytes: Uint8Array, alphabet: string): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += alphabet.charAt(word >> 18) + alphabet.charAt((word >> 12) & 63)
    if (left > 1) text += alphabet.charAt((word >> 6) & 63)
    if (left > 2) text += alphabet.charAt(word & 63)
  }
  return text
}

function decode(text: string, values: Int8Array, name: string): Uint8Array {
  if (text.length % 4 === 1) throw malformed(name)
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let word = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const value = values[text.charCodeAt(i)] ?? -1
    if (value < 0) throw malformed(name)
    word = ((word << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (word >> bits) & 255
    }
  }
  if ((word & ((1 << bits) - 1)) !== 0) throw malformed(name)
  return bytes
}

function valuesOf(alphabet: string): Int8Array {
  const values = new Int8Array(256).fill(-1)
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i
  return values
}

function malformed(name: string): Problem {
  return new Problem('invalid-request', { detail: `The text is not ${name}` })
}
