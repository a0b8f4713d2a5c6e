import { digestOfText, type Json, parseJson, textOfBase64url } from '@tillit/codec'
import { maxJwsCharacters, type ParsedJws, parseJws } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { applyDisclosures, type Disclosure } from './disclosures.ts'

/** Most disclosures in one credential: far above any type of ours. */
const maxDisclosures = 128

export interface ParsedSdJwt {
  jws: ParsedJws
  /** The payload with the disclosed claims in their places and without `_sd` and `_sd_alg`. */
  claims: { readonly [name: string]: Json }
  /** Names of top-level claims that came from disclosures. */
  disclosed: ReadonlySet<string>
  keyBinding: ParsedJws | null
  /** Everything up to and with the last `~`: what `sd_hash` of a key binding covers (RFC 9901 section 4.3.1). */
  presented: string
}

/**
 * Parses an SD-JWT (RFC 9901 section 7.1) without verifying signatures. Stricter than the libraries: every disclosure must
 * be used, none twice, and each value has one encoding. Throws Problem invalid-credential.
 */
export function parseSdJwt(credential: string): ParsedSdJwt {
  if (credential.length > maxJwsCharacters) throw malformed('The credential is too long')
  const end = credential.lastIndexOf('~')
  if (end < 0) throw malformed('An SD-JWT has a ~ after its JWT')
  const [issuerJwt = '', ...encoded] = credential.slice(0, end).split('~')
  if (encoded.length > maxDisclosures) throw malformed('The credential has too many disclosures')
  try {
    const jws = parseJws(issuerJwt)
    const { claims, disclosed } = applyDisclosures(jws.payload, encoded.map(parseDisclosure))
    const binding = credential.slice(end + 1)
    return {
      jws,
      claims,
      disclosed,
      keyBinding: binding === '' ? null : parseJws(binding),
      presented: credential.slice(0, end + 1),
    }
  } catch (cause) {
    if (isProblem(cause, 'invalid-credential')) throw cause
    throw new Problem('invalid-credential', {
      detail: cause instanceof Problem ? cause.message : 'The credential is not well formed',
      cause,
    })
  }
}

/** The name of the claim that an encoded disclosure discloses, or null for an array element. */
export function disclosureName(encoded: string): string | null {
  return parseDisclosure(encoded).name
}

function parseDisclosure(encoded: string): Disclosure {
  const parts = parseJson(textOfBase64url(encoded))
  if (!Array.isArray(parts)) throw malformed('A disclosure is an array')
  const digest = digestOfText(encoded)
  const [salt, second, third] = parts
  if (typeof salt !== 'string') throw malformed('A disclosure begins with its salt')
  if (parts.length === 2 && second !== undefined) return { digest, name: null, value: second }
  if (parts.length === 3 && typeof second === 'string' && third !== undefined) {
    return { digest, name: second, value: third }
  }
  throw malformed('A disclosure has two or three members')
}

function malformed(detail: string): Problem {
  return new Problem('invalid-credential', { detail })
}
