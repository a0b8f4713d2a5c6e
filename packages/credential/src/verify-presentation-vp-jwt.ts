import { parseJws } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { AuthenticClaims } from './authentic-credential.ts'
import { authenticClaims } from './authentic-vcdm.ts'
import { refuseUnlessValid } from './credential-status.ts'
import { decideTrust } from './decide-trust.ts'
import { envelopedCredential } from './enveloped.ts'
import { authenticateVcJwt } from './vc-jwt.ts'
import type { JsonObject } from './vcdm-members.ts'
import { authenticatePresentation } from './vcdm-presentation.ts'
import type { PresentationVerification } from './verify-presentation.ts'
import { askedClaims } from './verify-presentation-query.ts'
import type { VerifiedPresentation } from './verify-presentation-sd-jwt.ts'

/**
 * Verifies a `vp+jwt` with one `vc+jwt` in it (OpenID4VP 1.0 appendix B.1): the presentation by the holder's DID for this verifier
 * and request, the credential with its status and trust, that it is about this holder, and the claims that were asked for. Such
 * a credential is shown whole, so what is more is not an offence. Throws Problem invalid-presentation and the Problems of
 * authenticatePresentation and verifyCredential.
 */
export async function verifyVpJwt(
  presentation: string,
  queryId: string,
  options: PresentationVerification,
): Promise<VerifiedPresentation<AuthenticClaims & { status: 'valid' }>> {
  // Presentations of the data model in JSON are authentic in other ways, which nobody asked for.
  if (presentation.includes('{')) throw mismatch('The presentation is not a vp+jwt', queryId)
  const { holder, credentials } = await authenticatePresentation(presentation, options)
  const jwt = onlyCredential(credentials, queryId)
  const credential = authenticClaims(await authenticateVcJwt(jwt, options))
  if (credential.subject !== holder) {
    throw new Problem('invalid-credential-signature', { detail: 'The credential is not about whoever presents it' })
  }
  // In this order: what a stranger writes must not send us to an address of theirs for its status.
  await decideTrust(credential, options)
  await refuseUnlessValid(credential, options.status)
  const { payload: claims } = parseJws(jwt)
  const asked = askedClaims(options.query, queryId, claims)
  if (asked === null)
    throw mismatch('A credential is not of the type, or lacks the claims, that were asked for', queryId)
  return { credential: { ...credential, status: 'valid' }, claims, asked, transactions: [] }
}

function onlyCredential([credential, ...more]: readonly JsonObject[], queryId: string): string {
  const jwt = credential === undefined || more.length > 0 ? null : envelopedCredential(credential)
  if (jwt === null) throw mismatch('The presentation does not hold one credential in the format vc+jwt', queryId)
  return jwt
}

function mismatch(detail: string, queryId: string): Problem {
  return new Problem('invalid-presentation', { detail, pointer: `/${queryId}` })
}
