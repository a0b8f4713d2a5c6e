import {
  type AuthenticClaims,
  compromisedKeysReader,
  type Gunzip,
  type Inflate,
  listStatusReader,
  verifyCredential as verifyFrom,
} from '@tillit/credential'
import { Problem } from '@tillit/problem'
import type { DidResolutionResult, Party } from '@tillit/schemas'
import { type City, CityError } from './city.ts'

export interface TrustAnchors {
  /** The DID of the trust registrar, as you know it. */
  registrar: string
  /** The DID of the city's permission administrator. */
  authority: string
  /** zlib inflate with a limit on the result. */
  inflate: Inflate
  /** The same for gzip: needed for credentials in the W3C's data model, whose status stands in a Bitstring Status List. */
  gunzip?: Gunzip
  now: Date
}

/**
 * Verifies a credential in any format (text or object) as any outsider would: everything that the city hands over (documents,
 * accreditations, status lists) is itself verified up to the registrar's DID. Throws the Problems of verifyCredential in
 * @tillit/credential.
 */
export function verifyCredential(
  city: City,
  credential: unknown,
  anchors: TrustAnchors,
): Promise<AuthenticClaims & { status: 'valid' }> {
  return verifyFromSources(sourcesOf(city), credential, anchors)
}

/** Where what verifying takes comes from. Nothing of it is trusted. */
export interface TrustSources {
  resolveDid: (did: string, options?: { versionTime?: string }) => Promise<DidResolutionResult>
  /** A status list of either kind. */
  fetchList: (uri: string) => Promise<string>
  accreditationOf: (did: string) => Promise<string | null>
  fetchCompromisedKeys: () => Promise<string>
}

export function sourcesOf(city: City): TrustSources {
  return {
    resolveDid: (did, options = {}) => resolveThrough(city, did, options),
    fetchList: (uri) => fetchStatusList(city, uri, 'application/statuslist+jwt, application/vc+jwt'),
    accreditationOf: (did) => accreditationOf(city, did),
    fetchCompromisedKeys: () =>
      city.text('GET', '/trust/compromised-keys', { accept: 'application/compromised-keys+jwt' }),
  }
}

export function verifyFromSources(
  { resolveDid, fetchList, accreditationOf, fetchCompromisedKeys }: TrustSources,
  credential: unknown,
  { registrar, authority, inflate, gunzip, now }: TrustAnchors,
): Promise<AuthenticClaims & { status: 'valid' }> {
  const common = { issuerDids: [authority], resolveDid, now: () => now }
  return verifyFrom(credential, {
    resolveDid,
    now,
    status: listStatusReader({ ...common, inflate, ...(gunzip === undefined ? {} : { gunzip }), fetchList }),
    trust: {
      rootDid: registrar,
      authorityDids: [authority],
      accreditationOf,
      keyIsCompromised: compromisedKeysReader({ ...common, fetchList: fetchCompromisedKeys }),
    },
  })
}

/** The list at an address that a credential names. Throws Problem status-unknown where the city has none. */
export async function fetchStatusList(city: City, uri: string, accept: string): Promise<string> {
  const address = URL.parse(uri)
  if (!address) throw new Problem('status-unknown', { detail: 'The status list has no address' })
  try {
    return await city.text('GET', address.pathname, { accept })
  } catch (cause) {
    if (!(cause instanceof CityError && (cause.status === 400 || cause.status === 404))) throw cause
    throw new Problem('status-unknown', { detail: 'The city has no such status list', cause })
  }
}

/** The resolution result of a city's resolver, also for DIDs that do not resolve; of the version of a time where one is named. */
export async function resolveThrough(
  city: City,
  did: string,
  { versionTime }: { versionTime?: string } = {},
): Promise<DidResolutionResult> {
  return city.get<DidResolutionResult>(`/1.0/identifiers/${encodeURIComponent(did)}`, {
    accept: 'application/did-resolution',
    query: { versionTime },
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
