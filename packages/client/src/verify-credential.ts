import { type Inflate, statusReader, type VerifiedCredential, verifySdJwtVc } from '@tillit/credential'
import type { DidResolutionResult, Party } from '@tillit/schemas'
import { type City, CityError } from './city.ts'

export interface TrustAnchors {
  /** The DID of the trust registrar, as you know it. */
  registrar: string
  /** The DID of the city's permission administrator. */
  authority: string
  /** zlib inflate with a limit on the result. */
  inflate: Inflate
  now: Date
}

/**
 * Verifies a credential as any outsider would: everything that the city hands over (documents, accreditations, status lists)
 * is itself verified up to the registrar's DID. Throws the Problems of verifySdJwtVc.
 */
export function verifyCredential(city: City, credential: string, anchors: TrustAnchors): Promise<VerifiedCredential> {
  const { registrar, authority, inflate, now } = anchors
  const resolveDid = (did: string) => resolveThrough(city, did)
  return verifySdJwtVc(credential, {
    resolveDid,
    now,
    status: statusReader({
      issuerDids: [authority],
      resolveDid,
      inflate,
      now: () => now,
      fetchToken: (uri) => city.text('GET', new URL(uri).pathname, { accept: 'application/statuslist+jwt' }),
    }),
    trust: { rootDid: registrar, authorityDids: [authority], accreditationOf: (did) => accreditationOf(city, did) },
  })
}

/** The resolution result of a city's resolver, also for DIDs that do not resolve. */
export async function resolveThrough(city: City, did: string): Promise<DidResolutionResult> {
  return city.get<DidResolutionResult>(`/1.0/identifiers/${encodeURIComponent(did)}`, {
    accept: 'application/did-resolution',
  })
}

async function accreditationOf(city: City, did: string): Promise<string | null> {
  try {
    return (await city.get<Party>(`/trust/organisations/${encodeURIComponent(did)}`)).credential
  } catch (error) {
    if (error instanceof CityError && error.status === 404) return null
    throw error
  }
}
