import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { DidStore } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'
import type { VerifiedLogs } from './verified-logs.ts'

/**
 * Erases an unlisted DID at its own request: its entries and salts are deleted, so nobody can tell any more which leaves of
 * the log were about it, and the log stays as it is. The place stays empty. Erasing again changes nothing. Throws Problem
 * role-required for everyone else, conflict for a listed DID, did-not-found.
 */
export async function eraseDid(
  did: string,
  caller: Caller,
  { store, logs, now }: { store: DidStore; logs: VerifiedLogs } & Pick<RegistryPorts, 'now'>,
): Promise<void> {
  if (caller.id !== did) throw new Problem('role-required', { detail: 'A DID is erased by itself only' })
  const head = await store.readHead(did)
  if (head?.listed) throw new Problem('conflict', { detail: 'The history of a listed DID is public: deactivate it' })
  const gone = head !== null && (await store.eraseDid(did, now()))
  logs.forget(did)
  if (!gone && !(await store.readErased([did])).has(did))
    throw new Problem('did-not-found', { detail: 'The DID is not registered here' })
}
