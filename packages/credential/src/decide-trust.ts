import { isFault, isProblem, Problem } from '@tillit/problem'
import type { PartyRole } from '@tillit/schemas'
import type { AuthenticClaims } from './authentic-credential.ts'
import { authenticateSdJwtVc } from './authenticate-sd-jwt-vc.ts'
import { type ReadStatus, refuseUnlessValid } from './credential-status.ts'
import { credentialRules } from './credential-types.ts'
import type { KeyIsCompromised } from './key-compromise.ts'
import type { ResolveDid } from './resolve-key.ts'

export interface TrustOptions {
  /** The registrar: the one DID that is trusted without a credential. */
  rootDid: string
  /** Who may issue receipts: the authority that runs this city's permissions. */
  authorityDids: readonly string[]
  /** The OrganisationCredential of an organisation, or null. Whoever hands it over is not trusted: it is verified. */
  accreditationOf: (did: string) => Promise<string | null>
  /** Asked for the key behind each credential of the chain. */
  keyIsCompromised: KeyIsCompromised
}

/** What trust depends on. */
type TrustedFor = Pick<AuthenticClaims, 'type' | 'issuer' | 'issuerJkt'>

interface TrustContext {
  resolveDid: ResolveDid
  now: Date
  status: ReadStatus
  trust: TrustOptions
}

/**
 * Is the issuer allowed to say this? Follows the accreditation of the issuer up to the root. What an organisation issued
 * before it was suspended is not trusted while it is: its accreditation is suspended. Throws Problem untrusted-issuer; when an
 * accreditation fails, its problem is the cause. Throws status-unknown when that of the accreditation is not; a fault on the way
 * goes on as it is.
 */
export async function decideTrust(credential: TrustedFor, context: TrustContext): Promise<void> {
  const { rootDid, authorityDids } = context.trust
  await refuseCompromisedKey(credential, context.trust)
  const rule = credentialRules[credential.type].issuer
  switch (rule) {
    case 'root':
      if (credential.issuer !== rootDid) throw untrusted('Only the registrar accredits organisations')
      return
    case 'authority':
      if (!authorityDids.includes(credential.issuer)) throw untrusted('The issuer is not the authority of this city')
      return
    case 'root-or-utility':
      if (credential.issuer === rootDid) return
      return requireAccreditation(credential.issuer, 'utility', context)
    case 'utility':
    case 'eligible_party':
      return requireAccreditation(credential.issuer, rule, context)
  }
}

/** A status that nobody knows is no word against the issuer. */
const asTheyAre: ReadonlySet<string> = new Set(['untrusted-issuer', 'status-unknown'])

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
    await refuseCompromisedKey(authentic, context.trust)
    await refuseUnlessValid(authentic, context.status)
  } catch (cause) {
    if (!isProblem(cause) || isFault(cause) || asTheyAre.has(cause.code)) throw cause
    throw new Problem('untrusted-issuer', { detail: `The accreditation of the issuer fails: ${cause.message}`, cause })
  }
}

/** Whenever the credential says that it was issued: whoever has the key can write any time. */
async function refuseCompromisedKey(
  { issuer, issuerJkt }: Pick<AuthenticClaims, 'issuer' | 'issuerJkt'>,
  { keyIsCompromised }: TrustOptions,
): Promise<void> {
  if (await keyIsCompromised(issuer, issuerJkt)) throw untrusted('The key of the issuer was reported as compromised')
}

function untrusted(detail: string): Problem {
  return new Problem('untrusted-issuer', { detail })
}
