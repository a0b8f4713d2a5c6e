import { parseJson } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import type { AuthenticClaims } from './authentic-credential.ts'
import { type AuthenticVcdm, authenticClaims, type VcdmAuthenticationOptions } from './authentic-vcdm.ts'
import { authenticateSdJwtVc } from './authenticate-sd-jwt-vc.ts'
import { type ReadStatus, refuseUnlessValid } from './credential-status.ts'
import { authenticateDataIntegrity } from './data-integrity-credential.ts'
import { decideTrust, type TrustOptions } from './decide-trust.ts'
import { envelopedCredential } from './enveloped.ts'
import { authenticateVcJwt } from './vc-jwt.ts'
import { type JsonObject, objectAt } from './vcdm-members.ts'

export interface CredentialVerificationOptions extends VcdmAuthenticationOptions {
  status: ReadStatus
  trust: TrustOptions
  /** When given, it must be an SD-JWT VC that is presented with a key binding for this audience and nonce. */
  keyBinding?: { audience: string; nonce: string }
}

/**
 * Verifies a credential of one of our types in any format: text (SD-JWT VC, `vc+jwt`, or JSON) or an object (enveloped, or with
 * an eddsa-jcs-2022 proof). Fails closed: authentic, in time, from an issuer whose accreditation ends at the root, and not
 * revoked. Throws the Problems of authenticateCredential; untrusted-issuer; credential-revoked or status-unknown.
 */
export async function verifyCredential(
  input: unknown,
  options: CredentialVerificationOptions,
): Promise<AuthenticClaims & { status: 'valid' }> {
  const authentic = await authenticateCredential(input, options)
  // In this order: what a stranger writes must not send us to an address of theirs for its status.
  await decideTrust(authentic, options)
  await refuseUnlessValid(authentic, options.status)
  return { ...authentic, status: 'valid' }
}

/**
 * Is it authentic, in whichever format, and what does it say? Throws Problem invalid-credential, invalid-credential-signature,
 * unknown-credential-type, credential-expired, unsupported-algorithm and what resolving the issuer throws.
 */
export async function authenticateCredential(
  input: unknown,
  options: Omit<CredentialVerificationOptions, 'status' | 'trust'>,
): Promise<AuthenticClaims> {
  if (typeof input === 'string' && input.includes('~')) return authenticateSdJwtVc(input, options)
  if (options.keyBinding !== undefined)
    throw new Problem('invalid-credential-signature', { detail: 'Only an SD-JWT has a key binding of its own' })
  return authenticClaims(await authenticateVcdm(input, options))
}

/** A credential of the data model 2.0 of any type: enveloped, `vc+jwt`, or with a proof in it. Throws the same Problems. */
export async function authenticateVcdm(input: unknown, options: VcdmAuthenticationOptions): Promise<AuthenticVcdm> {
  if (typeof input === 'string' && !/^\s*\{/.test(input)) return authenticateVcJwt(input, options)
  const document = typeof input === 'string' ? parseDocument(input) : objectAt(input, '')
  const jwt = envelopedCredential(document)
  return jwt === null ? authenticateDataIntegrity(document, options) : authenticateVcJwt(jwt, options)
}

export function parseDocument(text: string): JsonObject {
  try {
    return objectAt(parseJson(text), '')
  } catch (cause) {
    if (isProblem(cause, 'invalid-json')) throw new Problem('invalid-credential', { detail: cause.message, cause })
    throw cause
  }
}
