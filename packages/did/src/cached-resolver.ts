import { Problem } from '@tillit/problem'
import type { DidResolution, ResolveOptions } from './resolver.ts'

/** How often `fresh` and `refresh` may ask again for one DID where nothing else is said. */
const defaultMinFreshSeconds = 10

/** What all results together take where nothing else is said. */
const defaultMaxCharacters = 32 * 1024 * 1024

/** Questions for named versions of one DID within `minFreshSeconds`, and how many of its versions are kept: who asks may name any time. */
const mostVersions = 32

export interface CachedResolverOptions {
  readonly now: () => Date
  /** Most results kept; the one that was not used for longest goes first. */
  readonly maxEntries: number
  /** Most characters of results and questions kept, as JSON. */
  readonly maxCharacters?: number
  /** Longest time a result is kept, whatever its DID says of its time to live; also for DIDs that say nothing. */
  readonly maxTtlSeconds: number
  /** How long it is believed that a DID is not found, or that its host cannot be asked. */
  readonly negativeTtlSeconds: number
  /** A DID is asked for again at most this often however often a caller wants it fresh. */
  readonly minFreshSeconds?: number
}

export interface CachedResolver {
  /**
   * `fresh`: ask again although there is an answer, for example when a signature failed under the keys it gave. Throws Problem
   * too-many-requests for ever new versions of one DID; its newest version can be asked for nevertheless.
   */
  resolve(did: string, options?: ResolveOptions & { readonly fresh?: boolean }): Promise<DidResolution>
  /** Forgets the DID, and resolves it anew. */
  refresh(did: string): Promise<DidResolution>
  /** What is kept of the DID is not given any more, not even what is being fetched. */
  forget(did: string): void
  readonly size: number
}

interface Kept {
  readonly did: string
  readonly versioned: boolean
  readonly characters: number
  readonly result: DidResolution
  readonly fetchedAt: number
  readonly expiresAt: number
}

interface Flight {
  readonly did: string
  /** A flight that was forgotten, or replaced since, lands for those who wait but leaves nothing behind. */
  readonly token: symbol
  readonly answer: Promise<DidResolution>
}

/**
 * Keeps what a resolver gave: within the DID's own time to live, in bounded memory, and with one question under way for a
 * DID however many ask. A DID that failed verification is not kept, so that its controller can mend it at once (did:webvh
 * v1.0, "Read"). Results are shared between callers: they are to be read only.
 */
export function createCachedResolver(
  resolver: { resolve: (did: string, options?: ResolveOptions) => Promise<DidResolution> },
  options: CachedResolverOptions,
): CachedResolver {
  // A Map keeps the order of insertion; what is used is inserted again, so the first is the one unused for longest.
  const kept = new Map<string, Kept>()
  const flights = new Map<string, Flight>()
  const minFreshMilliseconds = (options.minFreshSeconds ?? defaultMinFreshSeconds) * 1000
  const maxCharacters = options.maxCharacters ?? defaultMaxCharacters
  const questions = createQuestionCount(minFreshMilliseconds)
  let characters = 0

  const resolve: CachedResolver['resolve'] = async (did, { fresh = false, ...query } = {}) => {
    const key = JSON.stringify([did, query.versionId, query.versionTime, query.versionNumber, query.accept])
    const now = options.now().getTime()
    const known = kept.get(key)
    if (known !== undefined) {
      kept.delete(key)
      const age = now - known.fetchedAt
      // A clock that went back makes the age unknown.
      if (now < known.expiresAt && age >= 0) {
        kept.set(key, known)
        if (!fresh || age < minFreshMilliseconds) return known.result
      } else characters -= known.characters
    }
    return (flights.get(key) ?? takeOff(key, did, query)).answer
  }

  const takeOff = (key: string, did: string, query: ResolveOptions): Flight => {
    const token = Symbol()
    if (isVersioned(did, query)) questions.count(bareDid(did), options.now().getTime())
    const flight: Flight = { did: bareDid(did), token, answer: land(key, did, query, token) }
    flights.set(key, flight)
    return flight
  }

  const land = async (key: string, did: string, query: ResolveOptions, token: symbol): Promise<DidResolution> => {
    // The age counts from the question: the answer may have been true only then.
    const fetchedAt = options.now().getTime()
    try {
      const result = await resolver.resolve(did, query)
      const entry = {
        did: bareDid(did),
        versioned: isVersioned(did, query),
        characters: key.length + JSON.stringify(result).length,
        result,
        fetchedAt,
        expiresAt: fetchedAt + lifetime(result, options),
      }
      if (flights.get(key)?.token === token) keep(key, entry)
      return result
    } finally {
      if (flights.get(key)?.token === token) flights.delete(key)
    }
  }

  const keep = (key: string, entry: Kept): void => {
    drop(key)
    if (entry.expiresAt <= entry.fetchedAt || options.maxEntries < 1 || entry.characters > maxCharacters) return
    if (entry.versioned) dropOldestVersion(entry.did)
    kept.set(key, entry)
    characters += entry.characters
    for (const oldest of kept.keys()) {
      if (kept.size <= options.maxEntries && characters <= maxCharacters) return
      drop(oldest)
    }
  }

  /** The many versions of one DID make room among themselves, so that they push out no other DID. */
  const dropOldestVersion = (did: string): void => {
    const versions = [...kept].filter(([, entry]) => entry.versioned && entry.did === did)
    const [oldest] = versions[0] ?? []
    if (oldest !== undefined && versions.length >= mostVersions) drop(oldest)
  }

  const drop = (key: string): void => {
    characters -= kept.get(key)?.characters ?? 0
    kept.delete(key)
  }

  const forget = (did: string): void => {
    for (const [key, entry] of kept) if (entry.did === bareDid(did)) drop(key)
    for (const [key, flight] of flights) if (flight.did === bareDid(did)) flights.delete(key)
  }

  return {
    resolve,
    forget,
    refresh: (did) => {
      forget(did)
      return resolve(did)
    },
    get size() {
      return kept.size
    },
  }
}

/** Counts questions for versions of a DID. Throws Problem too-many-requests beyond `mostVersions` in one window of time. */
function createQuestionCount(windowMilliseconds: number): { count(did: string, now: number): void } {
  // In the order in which the windows began, so those that ended are the first.
  const windows = new Map<string, { readonly since: number; asked: number }>()
  return {
    count(did, now) {
      for (const [ended, { since }] of windows) {
        if (now >= since && now - since < windowMilliseconds) break
        windows.delete(ended)
      }
      const window = windows.get(did) ?? { since: now, asked: 0 }
      windows.set(did, window)
      if (++window.asked > mostVersions)
        throw new Problem('too-many-requests', { detail: 'Versions of this DID are asked for too often' })
    },
  }
}

function isVersioned(did: string, { versionId, versionTime, versionNumber }: ResolveOptions): boolean {
  return did !== bareDid(did) || (versionId ?? versionTime ?? versionNumber) !== undefined
}

/** A DID without what a DID URL adds. */
function bareDid(didUrl: string): string {
  return didUrl.split(/[/?#]/, 1)[0] ?? ''
}

/** In milliseconds. */
function lifetime(
  { didResolutionMetadata: { error }, didDocumentMetadata: { ttl } }: DidResolution,
  { maxTtlSeconds, negativeTtlSeconds }: CachedResolverOptions,
): number {
  if (error === 'notFound' || error === 'internalError') return negativeTtlSeconds * 1000
  if (error !== undefined) return 0
  const ttlSeconds = typeof ttl === 'string' && /^[0-9]+$/.test(ttl) ? Number(ttl) : maxTtlSeconds
  return Math.min(ttlSeconds, maxTtlSeconds) * 1000
}
