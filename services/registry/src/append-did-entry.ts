import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import { type Accepted, acceptedBefore, storeEntry, verifyEntry } from './accept-entry.ts'
import type { DidStore } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'

/**
 * Appends an entry (update, rotation, deactivation) to the log of a DID. Entries of one DID are taken one after the
 * other; of two that follow the same version the second gets did-conflict. The very same entry again gives the first
 * answer. Throws the Problems of nextDidState, did-not-found, did-deactivated, did-conflict.
 */
export async function appendDidEntry(
  did: string,
  entry: DidLogEntry,
  { store, ...ports }: { store: DidStore } & Pick<RegistryPorts, 'now' | 'randomBytes'>,
): Promise<Accepted> {
  return store.write(async (writer) => {
    const stored = await writer.lockDid(did)
    if (stored === null) throw new Problem('did-not-found', { detail: 'The DID is not registered here' })
    const { listed, state: previous } = stored
    const number = Number.parseInt(entry.versionId, 10)
    if (number >= 1 && number <= previous.versionNumber) {
      const same = await writer.readEntry(did, number)
      const before =
        same && acceptedBefore(same, entry, { listed, deactivated: previous.deactivated, now: ports.now() })
      if (before) return before
      throw new Problem('did-conflict', {
        detail: `The log of the DID is at version ${previous.versionNumber} already`,
        extra: { version_id: previous.versionId },
      })
    }
    if (previous.deactivated) throw new Problem('did-deactivated')
    const state = verifyEntry(stored, entry, ports.now())
    if (state.did !== did) throw new Problem('invalid-did-log', { detail: 'A DID does not move within this registry' })
    const logCharacters = stored.logCharacters + JSON.stringify(entry).length + 1
    await writer.updateDid({ did, state, logCharacters })
    return storeEntry(writer, { state, entry, listed }, ports)
  })
}
