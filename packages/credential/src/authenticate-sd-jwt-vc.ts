import { digestOfText } from '@tillit/codec'
import { type ParsedJws, type PublicKey, parsePublicJwk, thumbprint, toPublicJwk, verifySignature } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import type { PublicJwk } from '@tillit/schemas'
import type { AuthenticClaims, StatusReference } from './authentic-credential.ts'
import { checkClaims } from './check-claims.ts'
import { typeOfVct } from './credential-types.ts'
import { type ParsedSdJwt, parseSdJwt } from './parse-sd-jwt.ts'
import { type ResolveDid, resolveKey, withIssuerKeys } from './resolve-key.ts'

/** How far clocks of issuer and verifier may differ. An expiry gets no grace. */
const skewSeconds = 60

/** Oldest key binding accepted, in seconds: presentations are made for the moment. */
const keyBindingLifeSeconds = 300

/** draft-ietf-oauth-sd-jwt-vc section 2.2.2.3: claims that are never selectively disclosed. `iat` is ours: it picks the key. */
const neverDisclosed = ['iss', 'nbf', 'exp', 'iat', 'cnf', 'vct', 'vct#integrity', 'status']

/** An SD-JWT VC names its holder's key. */
export interface AuthenticCredential extends AuthenticClaims {
  holderJwk: PublicJwk
}

export interface AuthenticationOptions {
  resolveDid: ResolveDid
  now: Date
  /** When given, the credential must be presented with a key binding for this audience and nonce. */
  keyBinding?: { audience: string; nonce: string }
}

/**
 * Is it authentic? Parse, issuer's DID, its assertion key, signature, type, time, claims, holder's key. Throws Problem
 * invalid-credential, invalid-credential-signature, unknown-credential-type, credential-expired, weak-key, invalid-key,
 * unsupported-algorithm and what resolving the DID throws.
 */
export async function authenticateSdJwtVc(
  credential: string,
  { resolveDid, now, keyBinding }: AuthenticationOptions,
): Promise<AuthenticCredential> {
  const parsed = parseSdJwt(credential)
  const { header } = parsed.jws
  const { iss, iat, nbf, exp, vct, 'vct#integrity': _integrity, cnf, status, sub, jti, ...claims } = parsed.claims
  if (header.typ !== 'dc+sd-jwt') throw malformed('The credential is not of type dc+sd-jwt', '/typ')
  if (typeof iss !== 'string' || !iss.startsWith('did:')) throw malformed('The issuer is not a DID', '/iss')
  const issuerKey = await withIssuerKeys(resolveDid, claimedTime(iat), async (resolveDid) => {
    const key = await resolveKey(iss, header.kid, { resolveDid, relationship: 'assertionMethod' })
    verifyIssuerSignature(parsed.jws, key)
    return key
  })

  const type = typeOfVct(vct)
  if (!type) throw new Problem('unknown-credential-type', { pointer: '/vct' })
  for (const name of neverDisclosed) {
    if (parsed.disclosed.has(name)) throw malformed('A claim that must be visible was disclosed', `/${name}`)
  }
  if (iat === undefined) throw malformed('The time of issue is missing', '/iat')
  const issuedAt = numericDate(iat, '/iat')
  const notBefore = nbf === undefined ? issuedAt : numericDate(nbf, '/nbf')
  const expires = exp === undefined ? null : numericDate(exp, '/exp')
  const nowSeconds = now.getTime() / 1000
  if (Math.max(issuedAt, notBefore) > nowSeconds + skewSeconds) {
    throw new Problem('credential-expired', { detail: 'The credential is not valid yet' })
  }
  if (expires !== null && expires <= nowSeconds) throw new Problem('credential-expired')
  checkClaims(type, claims, { complete: false })
  const holder = holderKey(cnf)
  verifyKeyBinding(parsed, holder, { expected: keyBinding ?? null, nowSeconds })
  return {
    format: 'dc+sd-jwt',
    type,
    issuer: iss,
    issuerJkt: thumbprint(issuerKey),
    subject: optionalText(sub, '/sub'),
    id: optionalText(jti, '/jti'),
    claims,
    holderJwk: toPublicJwk(holder),
    issuedAt: new Date(issuedAt * 1000),
    expires: expires === null ? null : new Date(expires * 1000),
    statusReferences: parseStatusReferences(status),
  }
}

/** When the credential says that it was issued; null when it does not say so in a way that can be used. */
function claimedTime(iat: unknown): Date | null {
  return typeof iat === 'number' && Math.abs(iat) < 8.64e12 ? new Date(iat * 1000) : null
}

function verifyIssuerSignature(jws: ParsedJws, key: PublicKey): void {
  if (jws.header.alg !== key.alg) {
    throw new Problem('unsupported-algorithm', { detail: 'The algorithm is not that of the key', pointer: '/alg' })
  }
  if (!verifySignature(key, jws.signingInput, jws.signature)) throw new Problem('invalid-credential-signature')
}

/** RFC 9901 section 7.3. A binding that nobody asked for must still be the holder's and for these disclosures. */
function verifyKeyBinding(
  { keyBinding: jws, presented }: ParsedSdJwt,
  holder: PublicKey,
  { expected, nowSeconds }: { expected: AuthenticationOptions['keyBinding'] | null; nowSeconds: number },
): void {
  if (!jws) {
    if (expected) throw new Problem('invalid-credential-signature', { detail: 'A key binding is needed' })
    return
  }
  const { aud, nonce, iat, sd_hash: sdHash } = jws.payload
  if (jws.header.typ !== 'kb+jwt') throw malformed('The key binding is not of type kb+jwt', '/typ')
  if (jws.header.alg !== holder.alg) {
    throw new Problem('unsupported-algorithm', { detail: 'The algorithm is not that of the holder’s key' })
  }
  if (!verifySignature(holder, jws.signingInput, jws.signature)) {
    throw new Problem('invalid-credential-signature', { detail: 'The key binding is not signed by the holder' })
  }
  if (sdHash !== digestOfText(presented)) {
    throw new Problem('invalid-credential-signature', { detail: 'The key binding is for another presentation' })
  }
  if (!expected) return
  if (aud !== expected.audience) {
    throw new Problem('invalid-credential-signature', { detail: 'The key binding is for another verifier' })
  }
  if (nonce !== expected.nonce) throw new Problem('invalid-nonce')
  if (Math.abs(nowSeconds - numericDate(iat, '/iat')) > keyBindingLifeSeconds) {
    throw new Problem('statement-expired', { detail: 'The key binding is outside its time' })
  }
}

function holderKey(cnf: unknown): PublicKey {
  const jwk = member(cnf, 'jwk')
  if (jwk === null || typeof jwk !== 'object') throw malformed('The key of the holder is missing', '/cnf')
  try {
    return parsePublicJwk(jwk as Record<string, unknown>)
  } catch (error) {
    if (isProblem(error)) throw new Problem(error.code, { detail: error.message, pointer: '/cnf/jwk', cause: error })
    throw error
  }
}

function parseStatusReferences(status: unknown): StatusReference[] {
  if (status === undefined) return []
  const list = member(status, 'status_list')
  const idx = member(list, 'idx')
  const uri = member(list, 'uri')
  if (typeof uri !== 'string' || typeof idx !== 'number' || !Number.isSafeInteger(idx) || idx < 0) {
    throw malformed('The status is not a reference to a status list', '/status')
  }
  return [{ idx, uri }]
}

function member(value: unknown, name: string): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null
  return (value as Record<string, unknown>)[name] ?? null
}

function numericDate(value: unknown, pointer: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 8.64e12) return value
  throw malformed('A time is not a number of seconds', pointer)
}

function optionalText(value: unknown, pointer: string): string | null {
  if (value === undefined) return null
  if (typeof value === 'string') return value
  throw malformed('The claim is not text', pointer)
}

function malformed(detail: string, pointer?: string): Problem {
  return new Problem('invalid-credential', { detail, ...(pointer === undefined ? {} : { pointer }) })
}
