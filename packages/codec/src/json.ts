import { Problem } from '@tillit/problem'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Deepest nesting that parseJson accepts: far above any document of ours, far below the stack. */
const maxDepth = 64

const quote = 0x22
const colon = 0x3a
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

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
  const colons = countMembers(text)
  if (refuseNonJson(value) !== colons) refuseRepeatedMember(text)
  return value
}

/**
 * The members that the text has, each of which has one colon; bounds the nesting. Runs over text that JSON.parse accepted,
 * so it needs no grammar: only strings, brackets and colons matter.
 */
function countMembers(text: string): number {
  let colons = 0
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case quote:
        i = endOfString(text, i) - 1
        break
      case colon:
        colons++
        break
      case openBrace:
      case openBracket:
        if (++depth > maxDepth) throw new Problem('invalid-json', { detail: 'The JSON is nested too deeply' })
        break
      case closeBrace:
      case closeBracket:
        depth--
    }
  }
  return colons
}

/**
 * I-JSON (RFC 7493 sections 2.1 and 2.2); gives the members that the value has, which are fewer than the text's where one
 * stands twice. Runs after the depth is known to be bounded.
 */
function refuseNonJson(value: Json): number {
  if (typeof value === 'string') {
    refuseSurrogate(value)
    return 0
  }
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Problem('invalid-json', { detail: 'A number is too large' })
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (const item of value) members += refuseNonJson(item)
    return members
  }
  for (const name of Object.keys(value)) {
    refuseSurrogate(name)
    if (name === '__proto__') throw new Problem('invalid-json', { detail: 'A member may not be named __proto__' })
    members += 1 + refuseNonJson(value[name] ?? null)
  }
  return members
}

function refuseSurrogate(text: string): void {
  if (!text.isWellFormed()) throw new Problem('invalid-json', { detail: 'A text holds a lone surrogate' })
}

/** Finds the member that stands twice, to name it. */
function refuseRepeatedMember(text: string): never {
  const names: (Set<string> | null)[] = []
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === quote) {
      const end = endOfString(text, i)
      const members = names.at(-1)
      if (members && nextIsColon(text, end)) noteMember(members, JSON.parse(text.slice(i, end)) as string)
      i = end - 1
    } else if (code === openBrace) names.push(new Set())
    else if (code === openBracket) names.push(null)
    else if (code === closeBrace || code === closeBracket) names.pop()
  }
  throw new Problem('invalid-json', { detail: 'A member stands twice' })
}

function noteMember(members: Set<string>, name: string): void {
  if (members.has(name))
    throw new Problem('invalid-json', { detail: `The member ${JSON.stringify(name.slice(0, 60))} stands twice` })
  members.add(name)
}

/** Where the string that begins at `start` has ended. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes++
  return backslashes % 2 === 1
}

function nextIsColon(text: string, from: number): boolean {
  let i = from
  while (i < text.length && ' \t\n\r'.includes(text.charAt(i))) i++
  return text.charCodeAt(i) === colon
}
