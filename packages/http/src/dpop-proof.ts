import { equalBytes, sha256, toBase64url, utf8 } from '@tillit/codec'
import { parseJws, parsePublicJwk, thumbprint, verifyJws } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import type { ReplayStore } from './replay-store.ts'

/** A proof lives this long, in seconds, and may be this far ahead of our clock. */
export const proofLifetimeSeconds = 60
const aheadSeconds = 5
const maxProofCharacters = 8 * 1024
const maxJtiCharacters = 256

export interface ProofContext {
  method: string
  /** The URL of the request without query and fragment, from configuration and path, never from the Host header. */
  url: string
  accessToken: string
  /** Thumbprint that the access token is bound to. */
  jkt: string
  now: Date
  replays: ReplayStore
}

/** Verifies a DPoP proof by the checks of RFC 9449 section 4.3. Throws Problem invalid-dpop-proof, dpop-replay or weak-key. */
export function verifyDpopProof(proof: string | string[] | undefined, context: ProofContext): void {
  // check 1: exactly one header; Fastify joins repeated ones with a comma, which no JWS contains
  if (typeof proof !== 'string' || proof.includes(',')) throw refused('Exactly one DPoP header is needed')
  if (proof.length > maxProofCharacters) throw refused('The proof is too long')
  const payload = verifyOwnKey(proof, context)
  if (payload.htm !== context.method) throw refused('The proof is for another method') // check 8
  if (typeof payload.htu !== 'string' || normalise(payload.htu) !== normalise(context.url))
    throw refused('The proof is for another URL') // check 9
  const { iat, jti } = payload
  const nowSeconds = context.now.getTime() / 1000
  if (typeof iat !== 'number' || iat < nowSeconds - proofLifetimeSeconds || iat > nowSeconds + aheadSeconds) {
    throw refused('The proof was not made just now: compare your clock') // check 11
  }
  if (typeof payload.ath !== 'string' || !equalText(payload.ath, toBase64url(sha256(utf8(context.accessToken))))) {
    throw refused('The proof is for another access token') // check 12
  }
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > maxJtiCharacters)
    throw refused('The proof has no usable jti')
  // section 11.1: a proof is good for one request
  const fresh = context.replays.remember(
    `${context.jkt} ${jti}`,
    (iat + proofLifetimeSeconds + aheadSeconds) * 1000,
    context.now.getTime(),
  )
  if (!fresh) throw new Problem('dpop-replay')
}

/** Checks 2 to 7 and 12: well formed, signed by the public key it carries, and that key is the token's. */
function verifyOwnKey(proof: string, context: ProofContext): ReturnType<typeof parseJws>['payload'] {
  try {
    const jws = parseJws(proof)
    const { jwk } = jws.header
    if (jwk === null || typeof jwk !== 'object' || Array.isArray(jwk)) throw refused('The proof carries no key')
    const key = parsePublicJwk(jwk)
    const { payload } = verifyJws(jws, key, { typ: 'dpop+jwt' })
    if (!equalText(thumbprint(key), context.jkt))
      throw refused('The proof is made with another key than the token is bound to')
    return payload
  } catch (error) {
    if (isProblem(error) && error.code !== 'weak-key') throw refused(error.message, error)
    throw error
  }
}

function normalise(url: string): string | null {
  if (!URL.canParse(url)) return null
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

function equalText(a: string, b: string): boolean {
  return equalBytes(utf8(a), utf8(b))
}

function refused(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-dpop-proof', { detail, cause })
}
