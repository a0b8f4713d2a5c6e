import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { type PublicKey, parseJws, parsePublicJwk, verifyJws } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import type { CallerKind } from './caller.ts'
import { type CredentialAuthorization, isCredentialAuthorization } from './credential-authorization.ts'

/** How far clocks may be apart, in seconds. */
const leewaySeconds = 5

/** Verified tokens remembered until they expire (300 s at most), so that a signature is checked once a token. */
const maxRemembered = 10_000

export interface AccessToken {
  kind: CallerKind
  subject: string
  clientId: string
  jkt: string
  expiresAtSeconds: number
  authorizationDetails?: CredentialAuthorization[]
  offer?: string
}

export interface Jwks {
  keys: Record<string, unknown>[]
}

export interface TokenVerifierOptions {
  issuer: string
  audience: string
  jwks: () => Jwks
}

/** Verifies RFC 9068 access tokens that are bound to a DPoP key. Throws Problem invalid-token. */
export function createTokenVerifier({
  issuer,
  audience,
  jwks,
}: TokenVerifierOptions): (token: string, now: Date) => AccessToken {
  const remembered = new Map<string, AccessToken>()
  const keys = new Map<string, PublicKey>()
  return (token, now) => {
    const nowSeconds = now.getTime() / 1000
    const digest = toBase64url(sha256(utf8(token)))
    const known = remembered.get(digest)
    if (known !== undefined) {
      if (known.expiresAtSeconds > nowSeconds) return known
      remembered.delete(digest)
      throw new Problem('invalid-token', { detail: 'The access token has expired' })
    }
    const verified = verifyToken(token, { issuer, audience, nowSeconds, key: (kid) => keyOf(kid, jwks, keys) })
    if (remembered.size >= maxRemembered) remembered.clear()
    remembered.set(digest, verified)
    return verified
  }
}

interface VerifyOptions {
  issuer: string
  audience: string
  nowSeconds: number
  key: (kid: unknown) => PublicKey
}

function verifyToken(token: string, { issuer, audience, nowSeconds, key }: VerifyOptions): AccessToken {
  try {
    const jws = parseJws(token)
    const { header, payload } = verifyJws(jws, key(jws.header.kid), { typ: 'at+jwt' })
    const { iss, aud, exp, nbf, sub, kind, client_id: clientId, cnf } = payload
    const jkt = cnf !== null && typeof cnf === 'object' && !Array.isArray(cnf) ? cnf.jkt : undefined
    if (header.typ !== 'at+jwt' || iss !== issuer) throw refused('is not from the authorization server of this city')
    if (!(aud === audience || (Array.isArray(aud) && aud.includes(audience)))) throw refused('is for another audience')
    if (typeof exp !== 'number' || exp <= nowSeconds) throw refused('has expired')
    if (typeof nbf === 'number' && nbf > nowSeconds + leewaySeconds) throw refused('is not valid yet')
    if (typeof jkt !== 'string') throw refused('is not bound to a key')
    if (typeof sub !== 'string' || typeof clientId !== 'string') throw refused('names no subject')
    if (kind !== 'customer' && kind !== 'organisation' && kind !== 'device') throw refused('names no kind of caller')
    return { kind, subject: sub, clientId, jkt, expiresAtSeconds: exp, ...credentialClaims(payload) }
  } catch (error) {
    if (isProblem(error) && error.code !== 'invalid-token')
      throw new Problem('invalid-token', { detail: error.message, cause: error })
    throw error
  }
}

/** Details that are not understood must not be read as none, because none means a token for everything. */
function credentialClaims({ authorization_details: details, offer }: Record<string, unknown>) {
  if (offer !== undefined && typeof offer !== 'string') throw refused('names an offer in no known form')
  if (details !== undefined && !(Array.isArray(details) && details.every(isCredentialAuthorization)))
    throw refused('has authorization details of an unknown form')
  return {
    ...(details === undefined ? {} : { authorizationDetails: details }),
    ...(offer === undefined ? {} : { offer }),
  }
}

function keyOf(kid: unknown, jwks: () => Jwks, keys: Map<string, PublicKey>): PublicKey {
  if (typeof kid !== 'string') throw refused('names no key')
  const known = keys.get(kid)
  if (known !== undefined) return known
  const jwk = jwks().keys.find((key) => key.kid === kid)
  if (jwk === undefined) throw refused('is signed by a key that is not known')
  const key = parsePublicJwk({ kty: jwk.kty, crv: jwk.crv, x: jwk.x, ...(jwk.y === undefined ? {} : { y: jwk.y }) })
  keys.set(kid, key)
  return key
}

function refused(why: string): Problem {
  return new Problem('invalid-token', { detail: `The access token ${why}` })
}
