import { parseDid } from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidRegistration } from '@tillit/schemas'
import { type Accepted, acceptedBefore, storeEntry, verifyEntry } from './accept-entry.ts'
import type { DidStore, StoredDid } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'

const slugPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/

/**
 * Registers a self-issued did:webvh from its first entry. Registering the very same entry again gives the first answer.
 * Throws the Problems of nextDidState, invalid-did for a DID that does not live under /dids/ of this host, did-conflict
 * when the DID or its place is taken.
 */
export async function registerDid(
  registration: DidRegistration,
  { store, ...ports }: { store: DidStore } & Pick<RegistryPorts, 'now' | 'randomBytes' | 'didHost'>,
): Promise<Accepted> {
  const { entry, listed } = registration
  const state = verifyEntry(null, entry, ports.now())
  const did: StoredDid = {
    did: state.did,
    slug: slugOf(state.did, ports.didHost),
    listed,
    state,
    logCharacters: JSON.stringify(entry).length + 1,
  }
  return store.write(async (writer) => {
    if (await writer.insertDid(did, ports.now())) return storeEntry(writer, { state, entry, listed }, ports)
    const existing = await writer.lockDid(did.did)
    const first = existing === null ? null : await writer.readEntry(did.did, 1)
    if (existing === null || first === null) throw conflict('Another DID lives at this place')
    if (existing.listed !== listed) throw conflict(`The DID is registered as ${existing.listed ? '' : 'not '}listed`)
    const deactivated = existing.state.deactivated
    const before = acceptedBefore(first, entry, { listed, deactivated, now: ports.now() })
    if (before === null) throw conflict('The DID is registered with another first entry')
    return before
  })
}

/** The last segment of `did:webvh:<scid>:<host>:dids:<slug>`. */
function slugOf(did: string, didHost: string): string {
  const parsed = parseDid(did)
  if (parsed.method !== 'webvh') throw new Problem('invalid-did', { detail: 'Only did:webvh is registered here' })
  const { host, port, path } = parsed.place
  const [folder, slug, ...more] = path
  if (`${host}${port === null ? '' : `:${port}`}` !== didHost || folder !== 'dids' || !slug || more.length > 0) {
    throw new Problem('invalid-did', {
      detail: `Only DIDs of the form …:${didHost.replace(':', '%3A')}:dids:<name> live here`,
    })
  }
  if (!slugPattern.test(slug)) {
    throw new Problem('invalid-did', { detail: 'The name of the DID is letters, digits, dash, dot and underscore' })
  }
  return slug
}

function conflict(detail: string): Problem {
  return new Problem('did-conflict', { detail })
}
