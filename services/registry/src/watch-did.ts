import {
  formatDidLog,
  maxDidLogCharacters,
  maxWitnessFileCharacters,
  parseDid,
  parseDidLog,
  parseDidWitnessFile,
  resolveVersion,
  webvhLocation,
  webvhWitnessLocation,
} from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import type { HostedDids } from './hosted-dids.ts'
import type { RegistryPorts } from './ports.ts'
import type { WatchedDid, WatchStore } from './watch-store.ts'

/** Most foreign DIDs watched here: with logs of some kB each, a few tens of MB. */
const maxWatched = 1000
/** A DID's host is asked at most this often, however often somebody says that there is something new. */
const minCheckSeconds = 10
const fetchTimeoutMilliseconds = 5_000

export interface WatchParts {
  readonly watched: WatchStore
  readonly hosted: HostedDids
  readonly ports: Pick<RegistryPorts, 'now' | 'fetchText'>
}

/**
 * Looks at a foreign did:webvh (did:webvh v1.0, "DID Watchers") and keeps its verified history: the first history that was
 * seen and what extends it. A DID that lives here needs no copy. Throws Problem invalid-did, did-not-found (also for hosts
 * that are not asked), did-resolution-failed, too-many-requests, the Problems of resolveVersion, and did-history-changed when
 * the host does not show what it showed before.
 */
export async function watchDid(did: string, { watched, hosted, ports }: WatchParts): Promise<void> {
  const parsed = parseDid(did)
  if (parsed.method !== 'webvh') throw new Problem('invalid-did', { detail: 'Only did:webvh is watched' })
  if (hosted.hostedIn(did) !== null) return
  const kept = await watched.find(parsed.scid)
  const now = ports.now()
  if (kept !== null && kept.did === did && now.getTime() - kept.checkedAt.getTime() < minCheckSeconds * 1000) return
  if (kept === null && (await watched.count()) >= maxWatched)
    throw new Problem('too-many-requests', { detail: 'No more DIDs are watched here' })
  const seen = await lookAt(did, parsed.scid, ports)
  if (seen === null || !extendsKept(seen.entries, kept)) {
    const words =
      seen === null ? 'The host has no log of the DID any more' : 'The host shows another history of the DID'
    if (kept === null) throw new Problem('did-not-found')
    await watched.markFault(kept.scid, { words, checkedAt: now })
    throw new Problem('did-history-changed', { detail: words })
  }
  await watched.put(seen.watched, kept?.versionId ?? null)
}

interface Seen {
  readonly entries: readonly DidLogEntry[]
  readonly watched: WatchedDid
}

/** What the host shows now, verified and sufficiently witnessed; null when it shows nothing. */
async function lookAt(did: string, scid: string, { now, fetchText }: WatchParts['ports']): Promise<Seen | null> {
  if (fetchText === null) throw new Problem('did-not-found', { detail: 'Other hosts are not asked' })
  const fetchLimited = (url: URL, maxBytes: number) =>
    fetchText(url, { maxBytes, timeoutMilliseconds: fetchTimeoutMilliseconds })
  const text = await fetchLimited(webvhLocation(did), maxDidLogCharacters)
  if (text === null) return null
  let witnessFile: string | null = null
  const all = parseDidLog(text)
  const { latest } = await resolveVersion(did, all, {
    now: now(),
    witnessProofs: async () => {
      witnessFile = await fetchLimited(webvhWitnessLocation(did), maxWitnessFileCharacters)
      return witnessFile === null ? [] : parseDidWitnessFile(witnessFile)
    },
  })
  const entries = all.slice(0, latest.versionNumber)
  const { versionId } = latest
  return {
    entries,
    watched: { scid, did, versionId, log: formatDidLog(entries), witnessFile, checkedAt: now(), fault: null },
  }
}

/** Each version id is a hash over the entry and the id before it, so one that is the same stands for all before it. */
function extendsKept(entries: readonly DidLogEntry[], kept: WatchedDid | null): boolean {
  return kept === null || entries.some(({ versionId }) => versionId === kept.versionId)
}
