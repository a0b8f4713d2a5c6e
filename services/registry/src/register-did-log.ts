import { canonicalJson } from '@tillit/codec'
import { parseDid, publishablePrefix, verifyDidLogStates } from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidAccepted, DidLogAccepted, DidLogEntry, DidLogRegistration } from '@tillit/schemas'
import { type AcceptingPorts, acceptedBefore, acceptedNow, lineOf, newEntry } from './accept-entry.ts'
import { hasLeft } from './append-did-entry.ts'
import type { DidStore } from './did-store.ts'
import type { NewEntry } from './did-writer.ts'
import type { RegistryPorts } from './ports.ts'
import { slugOf } from './register-did.ts'
import { refuseTooLong, toWitnessFile, verifiedProofs } from './take-witness-proofs.ts'

export type RegisteringPorts = AcceptingPorts & Pick<RegistryPorts, 'didHost'>

/**
 * Registers a did:webvh with its whole history: a portable DID that moves here (did:webvh v1.0, "DID Portability"). Every
 * entry becomes one of our log; how far they are published the witnesses' proofs say. The same log again gives the first
 * answer. Throws the Problems of nextDidState, invalid-did for a DID that does not live under /dids/ of this host in its last
 * entry, did-erased, and did-conflict when the DID or its place is taken, or when the DID lived here under another name.
 */
export async function registerDidLog(
  registration: DidLogRegistration,
  { store, ...ports }: { store: DidStore } & RegisteringPorts,
): Promise<{ answer: DidLogAccepted; created: boolean }> {
  const { log, listed, witness_proofs: items = [] } = registration
  const { states, fault } = await verifyDidLogStates(log, { now: ports.now() })
  if (fault !== null) throw fault
  const did = states.at(-1)?.did ?? ''
  const slug = slugOf(did, ports.didHost)
  // Under two names its entries would be in the log twice.
  if (states.some((state) => state.did !== did && livesAt(ports.didHost, state.did)))
    throw new Problem('did-conflict', { detail: 'A DID does not move within this registry' })
  const [first, ...more] = newEntries(log, { did, states, listed, ...ports })
  if (first === undefined) throw new RangeError('the log is empty')
  const proofs = items.flatMap((item, index) => verifiedProofs(item, states, `/witness_proofs/${index}`))
  const file = toWitnessFile(proofs)
  refuseTooLong(file)
  const publishedVersion = publishablePrefix(states, file)
  if (!(await store.insertDidLog({ slug, entries: [first, ...more], proofs, publishedVersion })))
    return { answer: await storedBefore(did, registration, { store, ...ports }), created: false }
  const accepted = [first, ...more].map((entry) => acceptedNow(entry).accepted)
  return { answer: { accepted, witnessing: witnessing(did, accepted, publishedVersion) }, created: true }
}

function newEntries(
  log: readonly DidLogEntry[],
  options: Pick<NewEntry, 'did' | 'listed'> & { states: readonly NewEntry['state'][] } & AcceptingPorts,
): NewEntry[] {
  const entries: NewEntry[] = []
  for (const [index, state] of options.states.entries()) {
    const entry = log[index]
    if (entry === undefined) break
    const logBytesBefore = entries.at(-1)?.logBytes ?? 0
    entries.push(
      newEntry({ canonicalText: canonicalJson(entry), line: lineOf(entry), state }, { ...options, logBytesBefore }),
    )
  }
  return entries
}

/** The answer to a log that was registered before, also when more entries followed since. */
async function storedBefore(
  did: string,
  { log, listed }: DidLogRegistration,
  { store, now }: { store: DidStore } & Pick<RegistryPorts, 'now'>,
): Promise<DidLogAccepted> {
  const stored = await store.readDid(did)
  if (stored === null) {
    if ((await store.readErased([did])).has(did)) throw new Problem('did-erased')
    throw conflict('Another DID lives or lived at this place')
  }
  if (stored.listed !== listed) throw conflict(`The DID is registered as ${listed ? 'not ' : ''}listed`)
  const { deactivated, versionNumber, versionId } = stored.state
  const accepted: DidAccepted[] = []
  for (const [index, entry] of log.entries()) {
    const same = index < versionNumber ? await store.readEntry(did, index + 1) : null
    const before = same && acceptedBefore(same, entry, { listed, deactivated, now: now() })
    if (!before && stored.state.did !== did) throw conflict(hasLeft)
    if (!before) throw conflict(`The log of the DID is at version ${versionNumber} already`, { version_id: versionId })
    accepted.push(before.accepted)
  }
  return { accepted, witnessing: witnessing(did, accepted, Math.min(stored.publishedVersion, accepted.length)) }
}

function witnessing(did: string, accepted: readonly DidAccepted[], published: number): DidLogAccepted['witnessing'] {
  return {
    did,
    published_version_id: accepted[published - 1]?.versionId ?? null,
    waiting_versions: accepted.length - published,
  }
}

function livesAt(didHost: string, did: string): boolean {
  const parsed = parseDid(did)
  if (parsed.method !== 'webvh') return false
  const { host, port } = parsed.place
  return `${host}${port === null ? '' : `:${port}`}` === didHost
}

function conflict(detail: string, extra?: Record<string, unknown>): Problem {
  return new Problem('did-conflict', { detail, ...(extra === undefined ? {} : { extra }) })
}
