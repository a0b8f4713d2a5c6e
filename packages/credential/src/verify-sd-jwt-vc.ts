import { type AuthenticationOptions, type AuthenticCredential, authenticateSdJwtVc } from './authenticate-sd-jwt-vc.ts'
import { type ReadStatus, refuseUnlessValid } from './credential-status.ts'
import { decideTrust, type TrustOptions } from './decide-trust.ts'

export interface VerificationOptions extends AuthenticationOptions {
  status: ReadStatus
  trust: TrustOptions
}

export interface VerifiedCredential extends AuthenticCredential {
  status: 'valid'
}

/**
 * Verifies an SD-JWT VC in full, failing closed: authentic, in time, from an issuer whose accreditation ends at the
 * root, and not revoked. Throws the Problems of authenticateSdJwtVc; untrusted-issuer; credential-revoked or status-unknown.
 */
export async function verifySdJwtVc(credential: string, options: VerificationOptions): Promise<VerifiedCredential> {
  const authentic = await authenticateSdJwtVc(credential, options)
  // In this order: what a stranger writes must not send us to an address of theirs for its status.
  await decideTrust(authentic, options)
  await refuseUnlessValid(authentic, options.status)
  return { ...authentic, status: 'valid' }
}
