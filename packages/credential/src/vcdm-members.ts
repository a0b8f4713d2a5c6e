import { fromBase58, fromBase64, fromBase64url } from '@tillit/codec'
import { Problem } from '@tillit/problem'

// How members of a VC Data Model 2.0 document are written. All throw Problem invalid-credential with the pointer.

export type JsonObject = { readonly [name: string]: unknown }

export function objectAt(value: unknown, pointer: string): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw malformed('Not an object', pointer)
  return value as JsonObject
}

/** One object, or an array of at least one. */
export function objectsAt(value: unknown, pointer: string): { object: JsonObject; pointer: string }[] {
  if (!Array.isArray(value)) return [{ object: objectAt(value, pointer), pointer }]
  if (value.length === 0) throw malformed('An empty array', pointer)
  return value.map((item, index) => ({ object: objectAt(item, `${pointer}/${index}`), pointer: `${pointer}/${index}` }))
}

/** An absolute URL (RFC 3986 with a scheme): also a DID or a URN. */
export function urlAt(value: unknown, pointer: string): string {
  if (typeof value !== 'string' || !/^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+$/.test(value))
    throw malformed('Not a URL', pointer)
  return value
}

/** XML Schema dateTimeStamp (section 4.9): a time zone is needed. */
export function dateTimeAt(value: unknown, pointer: string): Date {
  const match = typeof value === 'string' ? dateTimeStamp.exec(value) : null
  const time = match === null ? Number.NaN : Date.parse(`${match[1]}${(match[2] ?? '').slice(0, 4)}${match[3]}`)
  if (Number.isNaN(time)) throw malformed('Not a date and time with a time zone', pointer)
  return new Date(time)
}

const dateTimeStamp =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(\.\d+)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/

/** In whole seconds, as in the other formats. */
export function writeDateTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}

/** Texts (one, or an array), each not empty. */
export function textsAt(value: unknown, pointer: string): string[] {
  const texts = Array.isArray(value) ? value : [value]
  if (texts.length === 0) throw malformed('An empty array', pointer)
  for (const text of texts) if (typeof text !== 'string' || text === '') throw malformed('Not a text', pointer)
  return texts
}

/** A text, or texts with language and direction (section 11.1). */
export function checkLanguageValue(value: unknown, pointer: string): void {
  if (typeof value === 'string') return
  for (const { object, pointer: at } of objectsAt(value, pointer)) {
    for (const name of Object.keys(object))
      if (!['@value', '@language', '@direction'].includes(name)) throw malformed('Not a language value', at)
    if (typeof object['@value'] !== 'string') throw malformed('A language value has an @value', at)
    const { '@language': language, '@direction': direction } = object
    if (language !== undefined && !isLanguageTag(language)) throw malformed('Not a language tag', at)
    if (direction !== undefined && direction !== 'ltr' && direction !== 'rtl') throw malformed('Not a direction', at)
  }
}

function isLanguageTag(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/.test(value)
}

export type Digest = { algorithm: 'sha256' | 'sha384' | 'sha512'; bytes: Uint8Array }

const lengths = { sha256: 32, sha384: 48, sha512: 64 } as const

/** Subresource Integrity metadata: one digest or several, each of which the resource must have. */
export function digestSriAt(value: unknown, pointer: string): Digest[] {
  if (typeof value !== 'string') throw malformed('Not a digest', pointer)
  return value.split(' ').map((text) => {
    const [, name = '', encoded = ''] = /^(sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? []
    return digest(
      name,
      decoded(() => fromBase64(encoded), pointer),
      pointer,
    )
  })
}

/** A multihash of SHA-2 in multibase base58btc or base64url. */
export function digestMultibaseAt(value: unknown, pointer: string): Digest[] {
  if (typeof value !== 'string' || !/^[zu]./.test(value)) throw malformed('Not a digest', pointer)
  const decode = value.startsWith('z') ? fromBase58 : fromBase64url
  const multihash = decoded(() => decode(value.slice(1)), pointer)
  const name = ({ 18: 'sha256', 32: 'sha384', 19: 'sha512' } as Record<number, string>)[multihash[0] ?? 0] ?? ''
  if (multihash[1] !== multihash.length - 2) throw malformed('Not a multihash', pointer)
  return [digest(name, multihash.subarray(2), pointer)]
}

function digest(name: string, bytes: Uint8Array, pointer: string): Digest {
  if ((name !== 'sha256' && name !== 'sha384' && name !== 'sha512') || bytes.length !== lengths[name])
    throw malformed('Not a digest by SHA-2', pointer)
  return { algorithm: name, bytes }
}

function decoded(decode: () => Uint8Array, pointer: string): Uint8Array {
  try {
    return decode()
  } catch (cause) {
    throw new Problem('invalid-credential', { detail: 'Not a digest', pointer, cause })
  }
}

export function malformed(detail: string, pointer: string): Problem {
  return new Problem('invalid-credential', { detail, pointer })
}
