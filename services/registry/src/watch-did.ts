import {
  type DidState,
  formatDidLog,
  maxDidLogCharacters,
  maxWitnessFileCharacters,
  parseDidLog,
  parseDidWitnessFile,
  resolveVersion,
  webvhLocation,
  webvhWitnessLocation,
} from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import type { RegistryPorts } from './ports.ts'
import type { WatchedDid, WatchStore } from './watch-store.ts'

/** Most foreign DIDs watched here: with logs of some kB each, a few tens of MB. */
const maxWatched = 1000
/** Most bytes of all that is kept of them, as one log alone may have several MB. */
const maxWatchedBytes = 64 * 1024 * 1024
/** Evidence of two histories may take as much again; beyond that only the words are kept. */
const maxBytesWithEvidence = 2 * maxWatchedBytes
/** A DID's host is asked at most this often, however often somebody says that there is something new. */
const minCheckSeconds = 10
/** Bounds of the time after which a host is asked again without being told, whatever the DID's own time to live. */
const recheckSeconds = { least: 60, most: 86_400 }
const fetchTimeoutMilliseconds = 5_000

export interface WatchDidParts {
  readonly watched: WatchStore
  readonly ports: Pick<RegistryPorts, 'now' | 'fetchText'>
}

/**
 * Looks at a foreign did:webvh (did:webvh v1.0, "DID Watchers") and keeps its verified history: the first history that was
 * seen and what extends it. Throws Problem did-not-found (also for hosts that are not asked), did-resolution-failed,
 * too-many-requests, the Problems of resolveVersion, and did-history-changed when the host does not show what it showed
 * before.
 */
export async function watchDid(
  { did, scid }: { did: string; scid: string },
  { watched, ports }: WatchDidParts,
): Promise<void> {
  const kept = await watched.find(scid)
  const now = ports.now()
  if (kept !== null && now.getTime() - kept.checkedAt.getTime() < minCheckSeconds * 1000) return
  if (kept === null) await requireRoom({ dids: 1, bytes: 0 }, watched)
  const seen = await lookAt(did, ports)
  if (kept === null) {
    if (seen === null) throw new Problem('did-not-found')
    const first = toWatched(scid, seen, now)
    await requireRoom({ dids: 1, bytes: bytesOf(first) }, watched)
    await watched.put(first, null)
    return
  }
  await compare(kept, seen, { did, now, watched })
}

async function keptEvidence(log: string, watched: WatchStore): Promise<string | null> {
  const { bytes } = await watched.readUsage()
  return bytes + Buffer.byteLength(log) > maxBytesWithEvidence ? null : log
}

/** Those that are asked for at once may together take a little more. Throws Problem too-many-requests. */
async function requireRoom(more: { dids: number; bytes: number }, watched: WatchStore): Promise<void> {
  const used = await watched.readUsage()
  if (used.dids + more.dids > maxWatched || (more.bytes >= 0 && used.bytes + more.bytes > maxWatchedBytes))
    throw new Problem('too-many-requests', { detail: 'There is no room to watch more DIDs, or longer ones, here' })
}

function bytesOf({ log, witnessFile }: WatchedDid): number {
  return Buffer.byteLength(log) + Buffer.byteLength(witnessFile ?? '')
}

interface Seen {
  readonly entries: readonly DidLogEntry[]
  readonly latest: DidState
  readonly witnessFile: string | null
}

/** What the host shows now, verified and sufficiently witnessed; null when it shows nothing. */
async function lookAt(did: string, { now, fetchText }: WatchDidParts['ports']): Promise<Seen | null> {
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
  return { entries: all.slice(0, latest.versionNumber), latest, witnessFile }
}

/** Each version id is a hash over the entry and the id before it, so one that is the same stands for all before it. */
async function compare(
  kept: WatchedDid,
  seen: Seen | null,
  { did, now, watched }: { did: string; now: Date; watched: WatchStore },
): Promise<void> {
  if (seen?.entries.some(({ versionId }) => versionId === kept.versionId)) {
    const fresh = toWatched(kept.scid, seen, now)
    const same = fresh.versionId === kept.versionId && fresh.did === kept.did && fresh.witnessFile === kept.witnessFile
    if (same) await watched.markAgreed(kept.scid, fresh)
    else {
      await requireRoom({ dids: 0, bytes: bytesOf(fresh) - bytesOf(kept) }, watched)
      await watched.put(fresh, kept.versionId)
    }
    return
  }
  const isPart = seen !== null && parseDidLog(kept.log).some(({ versionId }) => versionId === seen.latest.versionId)
  // A place that the DID left, or that it never had, may show an old part of its history or nothing at all.
  if (did !== kept.did && (seen === null || isPart)) throw new Problem('did-not-found')
  const words = isPart || seen === null ? lessWords(seen) : 'The host shows another history of the DID'
  const otherLog = seen === null || isPart ? null : await keptEvidence(formatDidLog(seen.entries), watched)
  await watched.markFault(kept.scid, { words, otherLog, checkedAt: now, checkAt: after(now, recheckSeconds.most) })
  throw new Problem('did-history-changed', { detail: words })
}

function lessWords(seen: Seen | null): string {
  return seen === null ? 'The host has no log of the DID any more' : 'The host shows a part of the DID’s history only'
}

function toWatched(scid: string, { entries, latest, witnessFile }: Seen, now: Date): WatchedDid {
  const { least, most } = recheckSeconds
  return {
    scid,
    did: latest.did,
    versionId: latest.versionId,
    log: formatDidLog(entries),
    witnessFile,
    updateKeys: latest.updateKeys,
    checkedAt: now,
    checkAt: after(now, Math.min(Math.max(latest.ttlSeconds, least), most)),
    fault: null,
  }
}

function after(now: Date, seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000)
}
