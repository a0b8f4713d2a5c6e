import {
  createCachedResolver,
  createResolver,
  type DidResolution,
  parseDidUrl,
  type ResolveOptions,
  unresolved,
} from '@tillit/did'
import { isProblem, Problem } from '@tillit/problem'
import type { HostedDids } from './hosted-dids.ts'
import { readOptions } from './identifier-of-url.ts'
import type { RegistryPorts } from './ports.ts'

/** Results of foreign DIDs that are kept; each is a document of at most some hundred kB. */
const maxForeignResults = 2000
/** A foreign host's change is seen within this time, whatever the DID says of its time to live. */
const maxForeignTtlSeconds = 300
const negativeTtlSeconds = 30

/** `fresh`: ask a foreign host again, at a bounded rate, for example when a signature failed under the keys it gave. */
export type ResolveDid = (
  did: string,
  options?: ResolveOptions & { readonly fresh?: boolean },
) => Promise<DidResolution>

/**
 * Resolves DIDs of this registry from its database and all others (did:key, did:jwk, did:web, foreign did:webvh) through a
 * bounded cache. What is wrong stands in the result; thrown is only Problem too-many-requests.
 */
export function createDidResolver(
  hosted: HostedDids,
  { fetchText, now }: Pick<RegistryPorts, 'fetchText' | 'now'>,
): ResolveDid {
  const foreign = createCachedResolver(
    createResolver({ webvhLog: async () => null, webvhWitness: async () => null, fetchText, now }),
    { now, maxEntries: maxForeignResults, maxTtlSeconds: maxForeignTtlSeconds, negativeTtlSeconds },
  )
  return async (did, options = {}) => {
    try {
      const own = hosted.hostedIn(did)
      if (own === null) return await foreign.resolve(did, options)
      const url = parseDidUrl(did)
      if (url.path !== '') throw new Problem('did-not-found', { detail: 'A path of a DID URL names no document' })
      const { versionId, versionTime, versionNumber } = { ...options, ...readOptions(Object.fromEntries(url.query)) }
      return await hosted.resolve(own, {
        ...(versionId === undefined ? {} : { versionId }),
        ...(versionTime === undefined ? {} : { versionTime }),
        ...(versionNumber === undefined ? {} : { versionNumber }),
      })
    } catch (error) {
      // It says nothing of the DID, so it is no result of resolving it.
      if (isProblem(error) && error.code !== 'too-many-requests') return unresolved(error)
      throw error
    }
  }
}
