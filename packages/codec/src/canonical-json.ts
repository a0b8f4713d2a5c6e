import { Problem } from '@tillit/problem'
import { utf8 } from './bytes.ts'

/** Deepest nesting written: far above what parseJson takes, far below the stack. What is in itself ends here too. */
const maxDepth = 512

/** What stands in a JSON text as it is: no control character, quote, backslash or surrogate. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]*$/

/**
 * JSON Canonicalization Scheme (RFC 8785). Takes JSON values, and what says by toJSON which one it is; a member that is
 * undefined is left out. Throws Problem invalid-json for what I-JSON (RFC 7493) cannot hold: lone surrogates and numbers
 * that are not finite. Our own, because hashing the entries of a DID's log is mostly this.
 */
export function canonicalJson(value: unknown): string {
  const text = write(value, maxDepth)
  if (text === undefined) throw new TypeError('not a JSON value')
  return text
}

export function canonicalBytes(value: unknown): Uint8Array {
  return utf8(canonicalJson(value))
}

function write(value: unknown, levels: number): string | undefined {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? 'null' : writeObject(value, levels)
    case 'bigint':
      throw refused()
    default:
      return undefined
  }
}

/** Section 3.2.2.3: as ECMAScript writes it. */
function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw refused()
  return String(value)
}

function writeObject(value: object, levels: number): string | undefined {
  if (levels === 0) throw refused()
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), levels - 1)
  return Array.isArray(value)
    ? writeItems(value, levels - 1)
    : writeMembers(value as Record<string, unknown>, levels - 1)
}

function writeItems(items: readonly unknown[], levels: number): string {
  let text = '['
  for (let i = 0; i < items.length; i++) text += (i === 0 ? '' : ',') + (write(items[i], levels) ?? 'null')
  return `${text}]`
}

function writeMembers(members: Readonly<Record<string, unknown>>, levels: number): string {
  let text = ''
  for (const name of inOrder(Object.keys(members))) {
    const member = write(members[name], levels)
    if (member !== undefined) text += `${text === '' ? '' : ','}${quote(name)}:${member}`
  }
  return `{${text}}`
}

/** Section 3.2.3: by UTF-16 code units. The few names of a usual object are in order sooner by inserting each at its place. */
function inOrder(names: string[]): string[] {
  if (names.length > 16) return names.sort()
  for (let i = 1; i < names.length; i++) {
    const name = names[i] ?? ''
    let at = i
    for (; at > 0 && (names[at - 1] ?? '') > name; at--) names[at] = names[at - 1] ?? ''
    names[at] = name
  }
  return names
}

function quote(text: string): string {
  if (plain.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw refused()
  return JSON.stringify(text)
}

function refused(): Problem {
  return new Problem('invalid-json', { detail: 'The value has no canonical JSON form' })
}
