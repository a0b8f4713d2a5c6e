import { Problem } from '@tillit/problem'
import canonicalize from 'canonicalize'
import { utf8 } from './bytes.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Deepest nesting that parseJson accepts: far above any document of ours, far below the stack. */
const maxDepth = 64

/**
 * JSON Canonicalization Scheme (RFC 8785). Takes JSON values only; a member that is undefined is left out. Throws Problem
 * invalid-json for what I-JSON (RFC 7493) cannot hold: lone surrogates and numbers that are not finite.
 */
export function canonicalJson(value: unknown): string {
  let text: string | undefined
  try {
    text = canonicalize(value)
  } catch (cause) {
    throw new Problem('invalid-json', { detail: 'The value has no canonical JSON form', cause })
  }
  if (text === undefined) throw new TypeError('not a JSON value')
  return text
}

export function canonicalBytes(value: unknown): Uint8Array {
  return utf8(canonicalJson(value))
}

/**
 * Parses JSON from outside: refuses what JSON.parse lets through and two parsers read differently (a member twice,
 * `__proto__`, a lone surrogate, a number too large to be one) and nesting over 64 levels. Throws Problem invalid-json.
 */
export function parseJson(text: string): Json {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (cause) {
    throw new Problem('invalid-json', { cause })
  }
  refuseAmbiguity(text)
  refuseNonJson(value)
  return value
}

/** I-JSON (RFC 7493 sections 2.1 and 2.2). Runs after the depth is known to be bounded. */
function refuseNonJson(value: Json): void {
  if (typeof value === 'string' && !value.isWellFormed())
    throw new Problem('invalid-json', { detail: 'A text holds a lone surrogate' })
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Problem('invalid-json', { detail: 'A number is too large' })
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    refuseNonJson(name)
    refuseNonJson(member)
  }
}

/** Runs over text that JSON.parse accepted, so it needs no grammar: only strings, braces and colons matter. */
function refuseAmbiguity(text: string): void {
  const names: (Set<string> | null)[] = []
  let i = 0
  while (i < text.length) {
    const character = text.charAt(i)
    if (character === '"') {
      const end = endOfString(text, i)
      const members = names.at(-1)
      if (members && nextIsColon(text, end)) noteMember(members, JSON.parse(text.slice(i, end)) as string)
      i = end
      continue
    }
    if (character === '{' || character === '[') {
      names.push(character === '{' ? new Set() : null)
      if (names.length > maxDepth) throw new Problem('invalid-json', { detail: 'The JSON is nested too deeply' })
    } else if (character === '}' || character === ']') names.pop()
    i++
  }
}

function noteMember(members: Set<string>, name: string): void {
  if (members.has(name))
    throw new Problem('invalid-json', { detail: `The member ${JSON.stringify(name.slice(0, 60))} stands twice` })
  if (name === '__proto__') throw new Problem('invalid-json', { detail: 'A member may not be named __proto__' })
  members.add(name)
}

function endOfString(text: string, start: number): number {
  let i = start + 1
  while (text.charAt(i) !== '"') i += text.charAt(i) === '\\' ? 2 : 1
  return i + 1
}

function nextIsColon(text: string, from: number): boolean {
  let i = from
  while (i < text.length && ' \t\n\r'.includes(text.charAt(i))) i++
  return text.charAt(i) === ':'
}
