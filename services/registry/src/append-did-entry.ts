import { parseDid } from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import { type Accepted, type AcceptingPorts, acceptedBefore, acceptedNow, prepareEntry } from './accept-entry.ts'
import type { DidStore, StoredDid } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'

/** How often an entry is looked at again when another one came in between. The second look tells what came. */
const maxLooks = 3

/**
 * Appends an entry (update, rotation, deactivation, move to another host) to the log of a DID. Of two that follow the same
 * version the second gets did-conflict. The very same entry again gives the first answer. Throws the Problems of
 * nextDidState, did-not-found, did-erased, did-deactivated, did-conflict.
 */
export async function appendDidEntry(
  did: string,
  entry: DidLogEntry,
  { store, ...ports }: { store: DidStore } & AcceptingPorts & Pick<RegistryPorts, 'didHost'>,
): Promise<Accepted> {
  for (let look = 1; look <= maxLooks; look++) {
    const stored = await store.readDid(did)
    if (stored === null) throw await noSuchDid(did, store)
    const before = await follows(stored, entry, { store, now: ports.now() })
    if (before !== null) return before
    const prepared = await prepareEntry(stored, entry, { listed: stored.listed, ...ports })
    if (prepared.state.did !== did) checkMove(prepared.state.did, ports.didHost)
    // Verified without holding anything; stored only if nothing has followed the same version meanwhile.
    if (await store.appendEntry(prepared)) return acceptedNow(prepared)
  }
  throw new Problem('did-conflict')
}

/** null when the entry may follow; the first answer when it was accepted before. Throws what speaks against it. */
async function follows(
  stored: StoredDid,
  entry: DidLogEntry,
  { store, now }: { store: DidStore; now: Date },
): Promise<Accepted | null> {
  const { did, listed, state } = stored
  const number = Number.parseInt(entry.versionId, 10)
  if (number >= 1 && number <= state.versionNumber) {
    const same = await store.readEntry(did, number)
    const before = same && acceptedBefore(same, entry, { listed, deactivated: state.deactivated, now })
    if (before) return before
    throw new Problem('did-conflict', {
      detail: `The log of the DID is at version ${state.versionNumber} already`,
      extra: { version_id: state.versionId },
    })
  }
  if (state.deactivated) throw new Problem('did-deactivated')
  if (state.did !== did) throw new Problem('did-conflict', { detail: hasLeft })
  return null
}

/** Two histories of one place could not be told apart: the published one ends with the move. */
export const hasLeft = 'The DID has left this registry: its history ends here with the move, and it cannot come back'

/** A move away is the last entry taken here; from then on the new host has the log. */
function checkMove(to: string, didHost: string): void {
  const parsed = parseDid(to)
  if (parsed.method !== 'webvh') throw new Problem('invalid-did-log', { detail: 'A did:webvh stays one' })
  const { host, port } = parsed.place
  if (`${host}${port === null ? '' : `:${port}`}` === didHost)
    throw new Problem('invalid-did-log', { detail: 'A DID does not move within this registry' })
}

async function noSuchDid(did: string, store: DidStore): Promise<Problem> {
  if ((await store.readErased([did])).has(did)) return new Problem('did-erased')
  return new Problem('did-not-found', { detail: 'The DID is not registered here' })
}
