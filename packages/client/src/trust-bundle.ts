import type { TrustBundle } from '@tillit/credential'
import { webvhLocation, webvhWitnessLocation } from '@tillit/did'
import { type City, CityError } from './city.ts'
import { sourcesOf, type TrustAnchors, verifyFromSources } from './verify-credential.ts'

/**
 * Everything that verifying these credentials takes, so that they, and others of the same issuers, verify without a network
 * (verifyOffline) for as long as the verifier believes what is said of statuses and keys. Throws what verifying them throws.
 */
export async function fetchTrustBundle(
  city: City,
  credentials: readonly unknown[],
  anchors: TrustAnchors,
): Promise<TrustBundle> {
  const sources = sourcesOf(city)
  const dids = new Set<string>()
  const accreditations: Record<string, string> = {}
  const statusLists: Record<string, string> = {}
  const compromisedKeys = await sources.fetchCompromisedKeys()
  for (const credential of credentials) {
    await verifyFromSources(
      {
        resolveDid: (did, options) => {
          dids.add(did)
          return sources.resolveDid(did, options)
        },
        fetchList: async (uri) => {
          statusLists[uri] ??= await sources.fetchList(uri)
          return statusLists[uri]
        },
        accreditationOf: async (did) => {
          const accreditation = accreditations[did] ?? (await sources.accreditationOf(did))
          if (accreditation !== null) accreditations[did] = accreditation
          return accreditation
        },
        fetchCompromisedKeys: async () => compromisedKeys,
      },
      credential,
      anchors,
    )
  }
  return { accreditations, statusLists, compromisedKeys, didLogs: await fetchLogs(city, dids) }
}

/** Of DIDs that the city hosts or keeps a copy of. Only did:webvh have logs. */
async function fetchLogs(city: City, dids: ReadonlySet<string>): Promise<TrustBundle['didLogs']> {
  const logs: Record<string, { log: string; witness: string | null }> = {}
  for (const did of dids) {
    if (!did.startsWith('did:webvh:')) continue
    const witness = await textOrNull(city, webvhWitnessLocation(did))
    logs[did] = { log: await city.text('GET', webvhLocation(did).pathname, { accept: 'text/jsonl' }), witness }
  }
  return logs
}

async function textOrNull(city: City, { pathname }: URL): Promise<string | null> {
  try {
    return await city.text('GET', pathname)
  } catch (error) {
    if (error instanceof CityError && error.status === 404) return null
    throw error
  }
}
