import { parseJws, type Signer, signJws, verifySignature } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { credentialsContext } from '@tillit/schemas'
import type { VcdmAuthenticationOptions } from './authentic-vcdm.ts'
import { addProof, readProof } from './data-integrity.ts'
import { envelopCredential, envelopedPresentation } from './enveloped.ts'
import { resolveKey, withFreshKeys } from './resolve-key.ts'
import { validateVcdm2Presentation } from './validate-vcdm2.ts'
import { requireClaimsInTime } from './vc-jwt.ts'
import { type JsonObject, malformed, objectAt } from './vcdm-members.ts'
import { parseDocument } from './verify-credential.ts'

/** Oldest presentation accepted, in seconds: presentations are made for the moment. */
const presentationLifeSeconds = 300

/** Most credentials in one presentation: each may have its issuer's DID resolved. */
const maxCredentials = 16

/** Claims of the JWT that are no members of the document. */
const jwtClaims = ['iss', 'aud', 'nonce', 'iat', 'nbf', 'exp', 'jti', 'sub'] as const

export interface VcdmPresenting {
  holderDid: string
  keyId: string
  signer: Signer
  /** Each a `vc+jwt`, or a document with a proof in it. */
  credentials: readonly (string | JsonObject)[]
  /** For whom, and for which request. */
  audience: string
  nonce: string
  now: Date
}

/** A presentation as `vp+jwt` (VC-JOSE-COSE section 3.1.2). */
export function presentVpJwt({ audience, nonce, keyId, signer, now, ...what }: VcdmPresenting): Promise<string> {
  const iat = Math.floor(now.getTime() / 1000)
  const claims = { iss: what.holderDid, aud: audience, nonce, iat, exp: iat + presentationLifeSeconds }
  return signJws({ typ: 'vp+jwt', cty: 'vp', kid: keyId }, { ...presentationOf(what), ...claims }, signer)
}

/** A presentation with an eddsa-jcs-2022 proof for authentication in it. */
export function presentDataIntegrity({
  audience,
  nonce,
  keyId,
  signer,
  now,
  ...what
}: VcdmPresenting): Promise<JsonObject> {
  const purpose = 'authentication'
  return addProof(presentationOf(what), { keyId, signer, purpose, created: now, domain: audience, challenge: nonce })
}

function presentationOf({ holderDid, credentials }: Pick<VcdmPresenting, 'holderDid' | 'credentials'>): JsonObject {
  return {
    '@context': [credentialsContext],
    type: ['VerifiablePresentation'],
    holder: holderDid,
    verifiableCredential: credentials.map((one) => (typeof one === 'string' ? envelopCredential(one) : one)),
  }
}

export interface AuthenticPresentation {
  document: JsonObject
  holder: string
  /** As they were presented: each still to be verified. */
  credentials: readonly JsonObject[]
}

/**
 * Is it the holder who presents, for this audience and nonce, now? Of each only what is given is asked for. Throws Problem
 * invalid-credential, invalid-credential-signature, invalid-nonce, statement-expired, credential-expired,
 * unsupported-algorithm and what resolving the holder throws.
 */
export async function authenticatePresentation(
  input: unknown,
  options: VcdmAuthenticationOptions & { audience?: string; nonce?: string },
): Promise<AuthenticPresentation> {
  if (typeof input === 'string' && !/^\s*\{/.test(input)) return authenticateVpJwt(input, options)
  const document = typeof input === 'string' ? parseDocument(input) : objectAt(input, '')
  const jwt = envelopedPresentation(document)
  return jwt === null ? authenticateProof(document, options) : authenticateVpJwt(jwt, options)
}

function validate(document: JsonObject, options: Options): ReturnType<typeof validateVcdm2Presentation> {
  const presentation = validateVcdm2Presentation(document, options)
  if (presentation.credentials.length > maxCredentials)
    throw malformed('The presentation has too many credentials', '/verifiableCredential')
  return presentation
}

type Options = Parameters<typeof authenticatePresentation>[1]

async function authenticateVpJwt(jwt: string, options: Options): Promise<AuthenticPresentation> {
  const { header, payload, signingInput, signature } = parse(jwt)
  if (header.typ !== 'vp+jwt') throw malformed('The presentation is not of type vp+jwt', '/typ')
  const document = Object.fromEntries(
    Object.entries(payload).filter(([name]) => !jwtClaims.some((claim) => claim === name)),
  )
  const { holder, credentials } = validate(document, options)
  const did = requireHolder(holder)
  if (payload.iss !== undefined && payload.iss !== did) throw malformed('The claim iss names another holder', '/iss')
  await withFreshKeys(options.resolveDid, async (resolveDid) => {
    const key = await resolveKey(did, header.kid, { resolveDid, relationship: 'authentication' })
    if (header.alg !== key.alg) throw new Problem('unsupported-algorithm', { pointer: '/alg' })
    if (!verifySignature(key, signingInput, signature)) throw new Problem('invalid-credential-signature')
  })
  requireClaimsInTime(payload, options.now)
  requireRecent(typeof payload.iat === 'number' ? new Date(payload.iat * 1000) : null, options.now)
  const { audience, nonce } = options
  if (audience !== undefined && ![payload.aud].flat().includes(audience))
    throw new Problem('invalid-credential-signature', { detail: 'The presentation is for another verifier' })
  if (nonce !== undefined && payload.nonce !== nonce) throw new Problem('invalid-nonce')
  return { document, holder: did, credentials }
}

async function authenticateProof(document: JsonObject, options: Options): Promise<AuthenticPresentation> {
  const { holder, credentials } = validate(document, options)
  const did = requireHolder(holder)
  const { now, audience, nonce } = options
  const proof = readProof(document, {
    purpose: 'authentication',
    now,
    ...(audience === undefined ? {} : { domain: audience }),
    ...(nonce === undefined ? {} : { challenge: nonce }),
  })
  await withFreshKeys(options.resolveDid, async (resolveDid) => {
    const key = await resolveKey(did, proof.keyId, { resolveDid, relationship: 'authentication' })
    if (key.alg !== 'EdDSA') throw new Problem('unsupported-algorithm', { pointer: '/proof/verificationMethod' })
    if (!proof.isSignedBy(key)) throw new Problem('invalid-credential-signature')
  })
  requireRecent(proof.created, now)
  return { document, holder: did, credentials }
}

/** Without a holder nobody could say whose key must have signed. */
function requireHolder(holder: string | null): string {
  if (holder === null || !holder.startsWith('did:')) throw malformed('The holder is not a DID', '/holder')
  return holder
}

function requireRecent(at: Date | null, now: Date): void {
  if (at === null) throw malformed('The presentation does not say when it was made', '/iat')
  if (Math.abs(now.getTime() - at.getTime()) > presentationLifeSeconds * 1000)
    throw new Problem('statement-expired', { detail: 'The presentation is outside its time' })
}

function parse(jwt: string): ReturnType<typeof parseJws> {
  try {
    return parseJws(jwt)
  } catch (cause) {
    if (isProblem(cause, 'invalid-jws')) throw new Problem('invalid-credential', { detail: cause.message, cause })
    throw cause
  }
}
