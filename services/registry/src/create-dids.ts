import { createDidStore, type DidStore } from './did-store.ts'
import { createHostedDids } from './hosted-dids.ts'
import { createOwnWitness } from './own-witness.ts'
import type { RegistryRouteParts } from './plugin.ts'
import type { RegistryPorts } from './ports.ts'
import { createRegistrar } from './register-did.ts'
import { createDidResolver, type ResolveDid } from './resolve-did.ts'
import { createVerifiedLogs } from './verified-logs.ts'
import { createWatchStore } from './watch-store.ts'
import { createWatchedResourceStore } from './watched-resource-store.ts'
import { createWatcher, type Watcher } from './watcher.ts'
import { createWatcherRequests } from './watcher-requests.ts'

export interface Dids {
  readonly store: DidStore
  readonly resolve: ResolveDid
  readonly watcher: Watcher
  /** Approves versions that name the registry as a witness, as far as the log of this size holds them. */
  approve(publishedSize: number): Promise<void>
  readonly routeParts: Pick<RegistryRouteParts, 'dids' | 'identifiers' | 'watcher'>
}

/** The identifiers: they are registered, witnessed, resolved, watched and erased. `onAccepted`: an entry waits for the log. */
export function createDids(ports: RegistryPorts, onAccepted: () => void): Dids {
  const { now } = ports
  const store = createDidStore(ports.database)
  const logs = createVerifiedLogs(store, ports)
  const hosted = createHostedDids({ store, logs }, ports)
  const resolve = createDidResolver(hosted, ports)
  const listeners: ((did: string) => void)[] = []
  const tell = (did: string) => {
    for (const listener of listeners) listener(did)
  }
  const ownWitness = createOwnWitness(
    { store, logs, now },
    { didWitnessSigner: ports.didWitnessSigner, onPublished: tell },
  )
  const watched = createWatchStore(ports.database)
  const resources = createWatchedResourceStore(ports.database)
  const watcher = createWatcher({ watched, hosted, ports })
  const requests = createWatcherRequests({ watched, resources, store, ports })
  const onWritten = (did: string) => {
    tell(did)
    onAccepted()
  }
  return {
    store,
    resolve,
    watcher,
    approve: ownWitness.approve,
    routeParts: {
      dids: { store, logs, register: createRegistrar(store, ports), ownWitness: ownWitness.did, ports, onWritten },
      identifiers: { hosted, resolve, ports, onWritten: (listener) => void listeners.push(listener) },
      watcher: { store, watched, watcher, requests, resources },
    },
  }
}
