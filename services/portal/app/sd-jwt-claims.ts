import { fromBase64url, fromUtf8, type Json, parseJson } from '@tillit/codec'
import { parseJws } from '@tillit/keys'

/**
 * The claims of an SD-JWT VC with every disclosure that came with it, to be shown to its holder. Nothing is verified: whoever
 * relies on the credential does that. Throws Problem invalid-jws or invalid-request.
 */
export function sdJwtClaims(credential: string): Record<string, Json> {
  const [jwt = '', ...disclosures] = credential.split('~')
  const claims: Record<string, Json> = { ...parseJws(jwt).payload }
  for (const disclosure of disclosures.filter((part) => part !== '' && !part.includes('.'))) {
    const parts = parseJson(fromUtf8(fromBase64url(disclosure)))
    // RFC 9901 section 4.2.1: salt, name, value.
    if (!Array.isArray(parts) || parts.length !== 3) continue
    const [, name, value] = parts
    if (typeof name === 'string' && value !== undefined) claims[name] = value
  }
  return claims
}
