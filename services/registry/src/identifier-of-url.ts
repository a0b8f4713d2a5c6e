import type { ResolveOptions } from '@tillit/did'
import { Problem } from '@tillit/problem'

/** What of a query belongs to the DID URL itself when that was not percent-encoded (W3C DID Resolution, DID Parameters). */
const urlParameters = new Set(['service', 'serviceType', 'relativeRef', 'hl'])

export interface IdentifierRequest {
  /** A DID, or a DID URL with path, query or fragment. */
  readonly identifier: string
  readonly options: IdentifierOptions
}

export interface IdentifierOptions extends Pick<ResolveOptions, 'versionId' | 'versionTime' | 'versionNumber'> {
  readonly noCache?: boolean
  readonly verificationRelationship?: string
}

/**
 * Reads a request of the HTTP(S) binding from its URL: the identifier as it is or percent-encoded, and options in the query.
 * Throws Problem invalid-request for an option that is not known, not well formed or stands twice, and
 * feature-not-supported for one that is known and not offered.
 */
export function identifierOfUrl(url: string, prefix: string): IdentifierRequest {
  const start = url.indexOf('?')
  const path = start < 0 ? url : url.slice(0, start)
  const identifier = decodeIdentifier(path.slice(prefix.length))
  if (start < 0) return { identifier, options: {} }
  const options: Record<string, string> = {}
  const own = new URLSearchParams()
  for (const [name, value] of new URLSearchParams(url.slice(start + 1))) {
    if (name in options || own.has(name))
      throw new Problem('invalid-request', { detail: 'An option stands twice', pointer: name })
    if (urlParameters.has(name)) own.set(name, value)
    else options[name] = value
  }
  return { identifier: withQuery(identifier, own), options: readOptions(options) }
}

/** Options by name, as text from a query or as JSON values from a body. Throws the same Problems. */
export function readOptions(options: Readonly<Record<string, unknown>>): IdentifierOptions {
  let read: IdentifierOptions = {}
  for (const [name, value] of Object.entries(options)) read = { ...read, ...readOption(name, value) }
  return read
}

function readOption(name: string, value: unknown): IdentifierOptions {
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  if (typeof text !== 'string' || text.length > 256) throw invalid('An option is not a short text', name)
  switch (name) {
    case 'versionId':
      return { versionId: text }
    case 'versionTime':
      return { versionTime: text }
    case 'versionNumber':
      if (!/^[1-9][0-9]{0,8}$/.test(text)) throw invalid('The versionNumber is not a number', name)
      return { versionNumber: Number(text) }
    case 'noCache':
      return { noCache: readFlag(text, name) }
    case 'verificationRelationship':
      return { verificationRelationship: text }
    case 'expandRelativeUrls':
      if (readFlag(text, name))
        throw new Problem('feature-not-supported', { detail: 'Relative URLs of documents are left as they are' })
      return {}
    default:
      throw invalid('The option is not known here', name)
  }
}

function readFlag(text: string, name: string): boolean {
  if (text !== 'true' && text !== 'false') throw invalid('The option is neither true nor false', name)
  return text === 'true'
}

/**
 * DIDs hold percent-encodings of their own (`localhost%3A8080`). Clients write them into a path as they are, encoded once
 * more as a whole, or with only path, query and fragment encoded; what is meant can be told apart.
 */
function decodeIdentifier(text: string): string {
  if (!text.startsWith('did:') || /%25/.test(text)) return decodeOnce(text)
  const rest = text.search(/%(2F|3F|23)/i)
  return rest < 0 ? text : text.slice(0, rest) + decodeOnce(text.slice(rest))
}

function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Not an encoding at all, so no DID either; the parser says so.
    return text
  }
}

function withQuery(identifier: string, query: URLSearchParams): string {
  if (query.size === 0) return identifier
  const [resource = '', ...fragment] = identifier.split('#')
  const joined = `${resource}${resource.includes('?') ? '&' : '?'}${query}`
  return fragment.length === 0 ? joined : `${joined}#${fragment.join('#')}`
}

function invalid(detail: string, pointer: string): Problem {
  return new Problem('invalid-request', { detail, pointer })
}
