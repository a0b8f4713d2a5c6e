import { Problem } from '@tillit/problem'
import type { PartyRole } from '@tillit/schemas'
import { type AuthenticCredential, authenticateSdJwtVc } from './authenticate-sd-jwt-vc.ts'
import { type ReadStatus, refuseUnlessValid } from './credential-status.ts'
import { credentialRules } from './credential-types.ts'
import type { ResolveDid } from './resolve-key.ts'

export interface TrustOptions {
  /** The registrar: the one DID that is trusted without a credential. */
  rootDid: string
  /** Who may issue receipts: the authority that runs this city's permissions. */
  authorityDids: readonly string[]
  /** The OrganisationCredential of an organisation, or null. Whoever hands it over is not trusted: it is verified. */
  accreditationOf: (did: string) => Promise<string | null>
}

interface TrustContext {
  resolveDid: ResolveDid
  now: Date
  status: ReadStatus
  trust: TrustOptions
}

/**
 * Is the issuer allowed to say this? Follows the accreditation of the issuer up to the root. Throws Problem
 * untrusted-issuer; when an accreditation fails, its problem is the cause.
 */
export async function decideTrust(credential: AuthenticCredential, context: TrustContext): Promise<void> {
  const { rootDid, authorityDids } = context.trust
  switch (credentialRules[credential.type].issuer) {
    case 'root':
      if (credential.issuer !== rootDid) throw untrusted('Only the registrar accredits organisations')
      return
    case 'authority':
      if (!authorityDids.includes(credential.issuer)) throw untrusted('The issuer is not the authority of this city')
      return
    case 'utility':
      return requireAccreditation(credential.issuer, 'utility', context)
  }
}

async function requireAccreditation(did: string, role: PartyRole, context: TrustContext): Promise<void> {
  const accreditation = await context.trust.accreditationOf(did)
  if (accreditation === null) throw untrusted('The issuer is not accredited')
  try {
    const { resolveDid, now } = context
    const authentic = await authenticateSdJwtVc(accreditation, { resolveDid, now })
    // An accreditation rests on the root itself: the chain has two links and no loop.
    if (authentic.type !== 'OrganisationCredential') throw untrusted('The accreditation is of another type')
    if (authentic.issuer !== context.trust.rootDid) throw untrusted('The accreditation is not from the registrar')
    if (authentic.subject !== did) throw untrusted('The accreditation is that of another organisation')
    const { roles } = authentic.claims
    if (!Array.isArray(roles) || !roles.includes(role)) throw untrusted(`The issuer is not accredited as ${role}`)
    await refuseUnlessValid(authentic, context.status)
  } catch (cause) {
    if (!(cause instanceof Problem) || cause.code === 'untrusted-issuer') throw cause
    throw new Problem('untrusted-issuer', { detail: `The accreditation of the issuer fails: ${cause.message}`, cause })
  }
}

function untrusted(detail: string): Problem {
  return new Problem('untrusted-issuer', { detail })
}
