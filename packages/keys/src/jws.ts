import { base64urlOfText, fromBase64url, type Json, parseJson, textOfBase64url, toBase64url, utf8 } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { PublicKey } from './public-key.ts'
import type { Signer } from './signer.ts'
import { verifySignature } from './verify.ts'

/** Longest compact JWS parsed, in characters. */
export const maxJwsCharacters = 256 * 1024

export interface ParsedJws {
  readonly header: { readonly [name: string]: Json }
  readonly payload: { readonly [name: string]: Json }
  readonly signingInput: Uint8Array
  readonly signature: Uint8Array
}

/** A compact JWS (RFC 7515 section 7.1) over a JSON payload; `alg` is the signer's, `typ` names the statement. */
export async function signJws(
  header: { typ: string; [name: string]: unknown },
  payload: object,
  signer: Signer,
): Promise<string> {
  const input = `${encode({ ...header, alg: signer.alg })}.${encode(payload)}`
  return `${input}.${toBase64url(await signer.sign(utf8(input)))}`
}

/** Parses without verifying. Throws Problem invalid-jws; duplicate members and `crit` are refused. */
export function parseJws(token: string): ParsedJws {
  if (token.length > maxJwsCharacters) throw new Problem('invalid-jws', { detail: 'The JWS is too long' })
  const parts = token.split('.')
  const [header, payload, signature] = parts
  if (parts.length !== 3 || !header || !payload || !signature)
    throw new Problem('invalid-jws', { detail: 'A JWS has three parts' })
  try {
    const parsed = {
      header: decodeHeader(header),
      payload: decodeObject(payload),
      signingInput: utf8(`${header}.${payload}`),
      signature: fromBase64url(signature),
    }
    // RFC 7515 section 4.1.11: an extension that is not understood and must be makes the JWS invalid; none is.
    if ('crit' in parsed.header || 'b64' in parsed.header)
      throw new Problem('invalid-jws', { detail: 'No critical extension is known' })
    return parsed
  } catch (cause) {
    throw new Problem('invalid-jws', {
      detail: cause instanceof Problem ? cause.message : 'The JWS is not well formed',
      cause,
    })
  }
}

/**
 * Verifies a compact JWS, or one that parseJws gave, under one key: type exactly as expected, algorithm exactly the key's.
 * Gives its parts.
 * Throws Problem invalid-jws, unsupported-algorithm or invalid-signature.
 */
export function verifyJws(token: string | ParsedJws, key: PublicKey, options: { typ: string }): ParsedJws {
  const jws = typeof token === 'string' ? parseJws(token) : token
  if (jws.header.typ !== options.typ)
    throw new Problem('invalid-jws', { detail: `The JWS is not of type ${options.typ}` })
  if (!isAlgorithmOf(key, jws.header.alg))
    throw new Problem('unsupported-algorithm', { detail: 'The algorithm is not that of the key' })
  if (!verifySignature(key, jws.signingInput, jws.signature)) throw new Problem('invalid-signature')
  return jws
}

/** RFC 9864 names the curve (`Ed25519`), RFC 8037 the family (`EdDSA`); with an Ed25519 key both say the same. */
function isAlgorithmOf(key: PublicKey, alg: Json | undefined): boolean {
  return alg === key.alg || (key.alg === 'EdDSA' && alg === 'Ed25519')
}

function encode(value: object): string {
  return base64urlOfText(JSON.stringify(value))
}

/** Whoever signs, signs with few headers: the last ones are remembered as they were read. */
const headers = new Map<string, ParsedJws['header']>()
const maxHeaders = 1000
const maxHeaderCharacters = 512

function decodeHeader(part: string): ParsedJws['header'] {
  const known = headers.get(part)
  if (known) return known
  const header = Object.freeze(decodeObject(part))
  if (part.length <= maxHeaderCharacters) {
    if (headers.size >= maxHeaders) headers.clear()
    // A copy: the part itself is a view of the whole token, and would keep it.
    headers.set(base64urlOfText(textOfBase64url(part)), header)
  }
  return header
}

function decodeObject(part: string): { [name: string]: Json } {
  const value = parseJson(textOfBase64url(part))
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new Problem('invalid-jws', { detail: 'The JWS does not hold JSON objects' })
  }
  return value
}
