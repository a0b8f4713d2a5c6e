import { Problem } from '@tillit/problem'
import { type ParsedDID, parse } from 'did-resolver'
import { parseHost, parsePathSegments } from './did-host.ts'

/** Longest DID or DID URL parsed, in characters: that of the `Did` schema, and as much again for path, query, fragment. */
const maxDidCharacters = 1024
const maxDidUrlCharacters = 2048

/** Base58btc of a SHA-256 multihash (0x12 0x20 and the digest) is always Qm and 44 more characters. */
const scidPattern = /^Qm[1-9A-HJ-NP-Za-km-z]{44}$/

/** Where a did:web or did:webvh lives. `host` is a DNS name, `port` null for 443, `path` holds decoded segments. */
export interface WebPlace {
  readonly host: string
  readonly port: number | null
  readonly path: readonly string[]
}

export type ParsedDid =
  | { readonly method: 'key' | 'jwk'; readonly did: string; readonly value: string }
  | { readonly method: 'web'; readonly did: string; readonly place: WebPlace }
  | { readonly method: 'webvh'; readonly did: string; readonly scid: string; readonly place: WebPlace }
  | { readonly method: 'other'; readonly did: string; readonly name: string }

export interface ParsedDidUrl {
  readonly did: ParsedDid
  readonly path: string
  readonly query: ReadonlyMap<string, string>
  /** Without the `#`; null when there is none. */
  readonly fragment: string | null
}

/**
 * Parses a DID by DID Core 1.0 section 3.1 and by the rules of its method. A host is a DNS name in lower case (no IP
 * address, no percent-encoding but `%3A` and a port); no path segment is empty, `.`, `..` or encoded twice. Other
 * methods than key, jwk, web and webvh are checked by the general syntax only. Throws Problem invalid-did.
 */
export function parseDid(did: string): ParsedDid {
  const parsed = parseSyntax(did, maxDidCharacters)
  if (parsed.did !== did) throw new Problem('invalid-did', { detail: 'A DID is expected, not a DID URL' })
  return byMethod(parsed)
}

/** Parses a DID URL (DID Core 1.0 section 3.2); a query parameter that stands twice is refused. Throws Problem invalid-did. */
export function parseDidUrl(url: string): ParsedDidUrl {
  const parsed = parseSyntax(url, maxDidUrlCharacters)
  const query = new Map<string, string>()
  for (const pair of (parsed.query ?? '').split('&').filter((text) => text !== '')) {
    const [name = '', ...value] = pair.split('=').map(decodeText)
    if (query.has(name)) throw new Problem('invalid-did', { detail: 'A parameter of the DID URL stands twice' })
    query.set(name, value.join('='))
  }
  return { did: byMethod(parsed), path: parsed.path ?? '', query, fragment: parsed.fragment ?? null }
}

/** RFC 3986 section 2.1; unlike in a form, a plus sign is one. */
function decodeText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new Problem('invalid-did', { detail: 'The query of the DID URL is not encoded correctly', cause })
  }
}

function parseSyntax(text: string, maxCharacters: number): ParsedDID {
  if (text.length > maxCharacters) throw new Problem('invalid-did', { detail: 'The DID is too long' })
  const parsed = parse(text)
  if (parsed === null || parsed.did.length > maxDidCharacters) throw new Problem('invalid-did')
  return parsed
}

function byMethod({ did, method, id }: ParsedDID): ParsedDid {
  switch (method) {
    case 'key':
    case 'jwk':
      if (id.includes(':') || id.includes('%')) throw new Problem('invalid-did')
      return { method, did, value: id }
    case 'web': {
      return { method, did, place: parsePlace(id.split(':')) }
    }
    case 'webvh': {
      const [scid, ...rest] = id.split(':')
      if (scid === undefined || !scidPattern.test(scid)) {
        throw new Problem('invalid-did', { detail: 'The SCID is not the base58 of a SHA-256 multihash' })
      }
      return { method, did, scid, place: parsePlace(rest) }
    }
    default:
      return { method: 'other', did, name: method }
  }
}

function parsePlace([domain, ...segments]: string[]): WebPlace {
  if (domain === undefined) throw new Problem('invalid-did', { detail: 'The DID has no host' })
  return { ...parseHost(domain), path: parsePathSegments(segments) }
}
