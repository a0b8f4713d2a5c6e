import { type Json, parseJson, sha256OfText, toHex } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { bundledContexts, credentialsContext } from '@tillit/schemas'

/** JSON-LD contexts by URL, each known by its digest. None is ever fetched. */
export type Contexts = ReadonlyMap<string, Json>

const bundled: Contexts = new Map(bundledContexts.map(({ url, document }) => [url, document as Json]))

/**
 * The contexts that are bundled, and further ones that the caller brings with their SHA-256 (hexadecimal). Throws Problem
 * invalid-credential when one is not what its digest says.
 */
export function pinnedContexts(further: readonly { url: string; text: string; sha256: string }[] = []): Contexts {
  if (further.length === 0) return bundled
  const contexts = new Map(bundled)
  for (const { url, text, sha256 } of further) {
    if (toHex(sha256OfText(text)) !== sha256) throw malformed('A context is not what its digest says', '/@context')
    contexts.set(url, parseJson(text))
  }
  return contexts
}

/** The terms that a document may use; `all` when a context gives every name a meaning (`@vocab`). */
export interface Vocabulary {
  all: boolean
  terms: ReadonlySet<string>
  /** Terms whose value is any JSON. */
  json: ReadonlySet<string>
}

/**
 * Reads `@context` (VC Data Model 2.0 section 4.3): an array that begins with the base context; then URLs of contexts that are
 * known, or objects. Terms of a type-scoped context count wherever they stand, which is wider than JSON-LD. Throws Problem
 * invalid-credential.
 */
export function vocabularyOf(context: unknown, contexts: Contexts): Vocabulary {
  if (!Array.isArray(context)) throw malformed('@context is not an array', '/@context')
  if (context[0] !== credentialsContext)
    throw malformed(`@context does not begin with ${credentialsContext}`, '/@context/0')
  const key = context.every((item) => typeof item === 'string') ? context.join(' ') : null
  const known = key === null ? undefined : vocabularies.get(contexts)?.get(key)
  if (known) return known
  const words: Words = { all: false, terms: new Set(), json: new Set() }
  context.forEach((item: unknown, index) => {
    const pointer = `/@context/${index}`
    if (typeof item === 'string') {
      const document = contexts.get(item)
      if (document === undefined) throw malformed('The context is not known here and is never fetched', pointer)
      addContext(memberOf(document, '@context'), words, { pointer, inline: false })
    } else addContext(item, words, { pointer, inline: true })
  })
  if (key !== null) remember(contexts, key, words)
  return words
}

const vocabularies = new WeakMap<Contexts, Map<string, Vocabulary>>()

/** Contexts come in a few combinations; more than these are not remembered. */
const maxRemembered = 100

function remember(contexts: Contexts, key: string, vocabulary: Vocabulary): void {
  const map = vocabularies.get(contexts) ?? new Map<string, Vocabulary>()
  vocabularies.set(contexts, map)
  if (map.size < maxRemembered) map.set(key, vocabulary)
}

interface Words {
  all: boolean
  terms: Set<string>
  json: Set<string>
}

const baseTerms = new Set(Object.keys(memberOf(bundled.get(credentialsContext), '@context') ?? {}))

function addContext(context: unknown, words: Words, at: { pointer: string; inline: boolean }): void {
  if (context === null || typeof context !== 'object' || Array.isArray(context))
    throw malformed('A context is an object or a URL', at.pointer)
  for (const [term, definition] of Object.entries(context)) {
    if (term === '@vocab') words.all = true
    if (term === '@import') throw malformed('A context that imports another is not taken', at.pointer)
    if (term.startsWith('@')) continue
    // The base context is @protected: JSON-LD refuses to give its terms another meaning.
    if (at.inline && baseTerms.has(term)) throw malformed('A term of the base context is defined anew', at.pointer)
    words.terms.add(term)
    if (memberOf(definition, '@type') === '@json') words.json.add(term)
    const scoped = memberOf(definition, '@context')
    if (scoped !== undefined && scoped !== null) addContext(scoped, words, { ...at, inline: false })
  }
}

function memberOf(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function malformed(detail: string, pointer: string): Problem {
  return new Problem('invalid-credential', { detail, pointer })
}
