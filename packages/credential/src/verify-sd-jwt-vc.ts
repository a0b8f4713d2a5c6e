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
 * Verifies an SD-JWT VC in full, failing closed: authentic, in time, not revoked, and from an issuer whose accreditation
 * ends at the root. Throws the Problems of authenticateSdJwtVc; credential-revoked or status-unknown; untrusted-issuer.
 */
export async function verifySdJwtVc(credential: string, options: VerificationOptions): Promise<VerifiedCredential> {
  const authentic = await authenticateSdJwtVc(credential, options)
  await refuseUnlessValid(authentic, options.status)
  await decideTrust(authentic, options)
  return { ...authentic, status: 'valid' }
}
