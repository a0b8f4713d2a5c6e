import {
  authenticateCredential,
  decideTrust,
  type ReadStatus,
  statusOf,
  type TrustOptions,
  verifyEcosystemJwt,
  verifySdJwtVc,
} from '@tillit/credential'
import { parseJws } from '@tillit/keys'
import { isFault, Problem } from '@tillit/problem'
import type { VerificationResult } from '@tillit/schemas'
import { requireRoot } from './issue-credential.ts'
import type { Context } from './ports.ts'
import { listOfUri } from './status-list-uri.ts'

/** As the table of lists has it: an index beyond every list, as anybody may write one, is not even asked for. */
const maxStatusListSize = 2 ** 24

/**
 * Says what a credential or DID-signed JWT is. What is not authentic, not in its time or of unknown status is a Problem; what
 * is authentic but revoked, suspended or from an issuer outside the chain of this city is a result that says so.
 */
export async function verifyCredential(context: Context, credential: string): Promise<VerificationResult> {
  return isEcosystemJwt(credential) ? verifyJwt(context, credential) : verifyOurs(context, credential)
}

/** Any JWT but one that is a credential of the W3C's data model 2.0. */
function isEcosystemJwt(text: string): boolean {
  if (text.includes('~') || /^\s*\{/.test(text)) return false
  try {
    return parseJws(text).header.typ !== 'vc+jwt'
  } catch {
    // Whoever verifies it says what is wrong.
    return true
  }
}

/** Of our types, in any format. */
async function verifyOurs(context: Context, credential: string): Promise<VerificationResult> {
  const options = await verificationOptions(context)
  const authentic = await authenticateCredential(credential, options)
  const status = await statusOf(authentic, options.status)
  return {
    verified: status === 'valid',
    format: authentic.format,
    issuer: authentic.issuer,
    type: authentic.type,
    trusted: await isTrusted(() => decideTrust(authentic, options)),
    status,
    claims: authentic.claims,
  }
}

async function verifyJwt(context: Context, jwt: string): Promise<VerificationResult> {
  const options = await verificationOptions(context)
  const { resolveDid, now } = options
  const { issuer, jkt, type, claims } = await verifyEcosystemJwt(jwt, { resolveDid, now, audience: null })
  const accreditation = await options.trust.accreditationOf(issuer)
  return {
    verified: true,
    format: 'jwt',
    issuer,
    type,
    trusted: await isTrusted(async () => {
      if (accreditation === null || (await options.trust.keyIsCompromised(issuer, jkt))) {
        throw new Problem('untrusted-issuer')
      }
      await verifySdJwtVc(accreditation, options)
    }),
    status: 'none',
    claims,
  }
}

/** How this city verifies: its own register for status, its own trust registry for accreditations. */
export async function verificationOptions(context: Context): Promise<{
  resolveDid: Context['resolveDid']
  now: Date
  status: ReadStatus
  trust: TrustOptions
}> {
  const { store, publicUrl, resolveDid, authorityDid } = context
  return {
    resolveDid,
    now: context.now(),
    status: async (uri, idx) => {
      const list = listOfUri(publicUrl, uri)
      const status = list === null || idx >= maxStatusListSize ? undefined : await store.statusAt(list, idx)
      if (status === undefined)
        throw new Problem('status-unknown', { detail: 'The status list is not one of this city' })
      return status
    },
    trust: {
      rootDid: await requireRoot(context.store),
      authorityDids: [authorityDid],
      accreditationOf: async (did) => (await store.party(did))?.credential ?? null,
      keyIsCompromised: (did, jkt) => store.keyIsCompromised(did, jkt),
    },
  }
}

/** Only a decision is an answer; a fault (the database is gone) stays one. */
async function isTrusted(decide: () => Promise<void>): Promise<boolean> {
  try {
    await decide()
    return true
  } catch (error) {
    if (isFault(error)) throw error
    return false
  }
}
