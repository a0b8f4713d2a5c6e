import { type DIDDocument, type VerificationKey, verificationKeys } from '@tillit/did'
import { type ParsedJws, parseJws, thumbprint, toPublicJwk, verifySignature } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { verifyJWT } from 'did-jwt'
import type { DIDResolutionResult } from 'did-resolver'
import { type ResolveDid, resolveDocument, withFreshKeys } from './resolve-key.ts'

/** How far clocks may differ; did-jwt would allow five minutes. */
const skewSeconds = 60

export interface EcosystemOptions {
  resolveDid: ResolveDid
  now: Date
  /** Who the JWT must be for; null when it is only looked at, not acted on. */
  audience: string | null
}

export interface VerifiedJwt {
  issuer: string
  /** DID URL of the key that signed. */
  keyId: string
  /** RFC 7638 thumbprint of that key. */
  jkt: string
  /** Of a JWT credential (W3C VC Data Model 1.1, section 6.3.1) its most specific type; else null. */
  type: string | null
  claims: { readonly [name: string]: unknown }
}

/**
 * Verifies a DID-signed JWT or JWT credential of the ecosystem through did-jwt, which sees only the one key that already
 * passed our checks: did-jwt alone accepts small-order keys, keys of any relationship and nested JWTs. Throws Problem
 * invalid-credential, unsupported-algorithm, weak-key, invalid-signature, credential-expired, status-unknown and what
 * resolving throws.
 */
export async function verifyEcosystemJwt(jwt: string, options: EcosystemOptions): Promise<VerifiedJwt> {
  const jws = parse(jwt)
  const { alg } = jws.header
  const { iss, aud } = jws.payload
  if (alg !== 'EdDSA' && alg !== 'ES256') throw new Problem('unsupported-algorithm', { pointer: '/alg' })
  // did-jwt would unwrap a nested JWT when the outer signature fails.
  if (jws.header.cty !== undefined) throw malformed('A nested JWT is not accepted', '/cty')
  if (typeof iss !== 'string' || !/^did:[a-z0-9]+:[^#?/]+$/.test(iss))
    throw malformed('The issuer is not a DID', '/iss')
  for (const name of ['iat', 'nbf', 'exp']) {
    const time = jws.payload[name]
    if (time !== undefined && typeof time !== 'number') throw malformed('A time is not a number', `/${name}`)
  }
  if (options.audience !== null && ![aud].flat().includes(options.audience)) {
    throw malformed('The JWT is for another audience', '/aud')
  }
  const type = credentialType(jws, iss)
  const { id, key } = await withFreshKeys(options.resolveDid, async (resolveDid) => {
    const document = await resolveDocument(iss, resolveDid)
    return signingKey(jws, type === null ? anyKeys(document) : verificationKeys(document, 'assertionMethod'))
  })
  await verifyThroughDidJwt(jwt, { iss, id, key, options })
  return { issuer: iss, keyId: id, jkt: thumbprint(key), type, claims: jws.payload }
}

function parse(jwt: string): ParsedJws {
  try {
    return parseJws(jwt)
  } catch (cause) {
    if (isProblem(cause, 'invalid-jws')) throw new Problem('invalid-credential', { detail: cause.message, cause })
    throw cause
  }
}

/** Only keys for assertions sign credentials; other statements may also be signed to authenticate. */
function anyKeys(document: DIDDocument): VerificationKey[] {
  return [...verificationKeys(document, 'assertionMethod'), ...verificationKeys(document, 'authentication')]
}

function signingKey(jws: ParsedJws, candidates: VerificationKey[]): VerificationKey {
  const { alg, kid } = jws.header
  const named =
    kid === undefined ? candidates : candidates.filter(({ id }) => id === kid || id === `${jws.payload.iss}${kid}`)
  if (named.length === 0)
    throw new Problem('invalid-signature', { detail: 'The issuer has no such key', pointer: '/kid' })
  const fitting = named.filter(({ key }) => key.alg === alg)
  if (fitting.length === 0) throw new Problem('unsupported-algorithm', { detail: 'The key is of another kind' })
  const signer = fitting.find(({ key }) => verifySignature(key, jws.signingInput, jws.signature))
  if (!signer) throw new Problem('invalid-signature')
  return signer
}

async function verifyThroughDidJwt(
  jwt: string,
  { iss, id, key, options }: VerificationKey & { iss: string; options: EcosystemOptions },
): Promise<void> {
  const resolution: DIDResolutionResult = {
    didResolutionMetadata: {},
    didDocumentMetadata: {},
    didDocument: {
      id: iss,
      verificationMethod: [{ id, type: 'JsonWebKey2020', controller: iss, publicKeyJwk: toPublicJwk(key) }],
      assertionMethod: [id],
    },
  }
  try {
    await verifyJWT(jwt, {
      resolver: { resolve: async () => resolution },
      proofPurpose: 'assertionMethod',
      skewTime: skewSeconds,
      policies: { now: Math.floor(options.now.getTime() / 1000), aud: options.audience !== null },
      ...(options.audience === null ? {} : { audience: options.audience }),
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : ''
    if (reason.startsWith('invalid_signature')) throw new Problem('invalid-signature', { cause })
    if (/not valid (yet|before)|has expired/.test(reason)) throw new Problem('credential-expired', { cause })
    throw new Problem('invalid-credential', { detail: 'The JWT does not verify', cause })
  }
}

/** Null for a JWT that is no credential. A credential with a status that we cannot read is refused, not waved through. */
function credentialType(jws: ParsedJws, iss: string): string | null {
  const vc = jws.payload.vc
  if (vc === undefined) return null
  if (vc === null || typeof vc !== 'object' || Array.isArray(vc)) throw malformed('The credential is no object', '/vc')
  const issuer = vc.issuer
  const issuerId = issuer !== null && typeof issuer === 'object' && !Array.isArray(issuer) ? issuer.id : issuer
  if (issuerId !== undefined && issuerId !== iss) throw malformed('The credential names another issuer', '/vc/issuer')
  if (vc.credentialStatus !== undefined) {
    throw new Problem('status-unknown', { detail: 'The status method of the credential is not known here' })
  }
  const types = [vc.type].flat().filter((type) => typeof type === 'string')
  return types.findLast((type) => type !== 'VerifiableCredential') ?? 'VerifiableCredential'
}

function malformed(detail: string, pointer: string): Problem {
  return new Problem('invalid-credential', { detail, pointer })
}
