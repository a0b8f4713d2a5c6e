import type { TillitServer } from '@tillit/http'
import { createDids } from './create-dids.ts'
import { createLog, type Log, type LogStatus } from './create-log.ts'
import { registryRoutes } from './plugin.ts'
import type { RegistryPorts } from './ports.ts'
import type { ResolveDid } from './resolve-did.ts'

export type RegistryStatus = LogStatus

export interface Registry {
  readonly routes: (app: TillitServer) => Promise<void>
  /**
   * Resolves did:webvh of this registry from its database, and did:key, did:jwk, did:web and foreign did:webvh. `fresh` asks
   * a foreign host again, for example when a signature failed under the keys that are known.
   */
  readonly resolveDid: ResolveDid
  /** Verifier key of the log, to be pinned by whoever verifies receipts: the first of `logVkeys`. */
  readonly logVkey: string
  /** All keys that sign the log now: the active one, and those that give way to it. */
  readonly logVkeys: readonly string[]
  /** True when the operator's own witnesses can meet the quorum of the log alone, or when it asks for none. */
  readonly selfWitnessed: boolean
  /** Starts sequencing, publishing, anchoring and watching in the background. */
  start(): void
  stop(): Promise<void>
  status(): Promise<RegistryStatus>
  /** One round of anchoring now. */
  anchorNow(): Promise<void>
  /** Asks the hosts of the watched DIDs that are due, now. */
  checkWatched(): Promise<void>
}

/** The registry over its ports; construct one for each process. */
export function createRegistry(ports: RegistryPorts): Registry {
  const dids = createDids(ports, () => log.wake())
  const log: Log = createLog(ports, { dids: dids.store, onPublished: dids.approve })
  return {
    routes: registryRoutes({ ...dids.routeParts, log: log.routeParts }),
    resolveDid: dids.resolve,
    logVkey: log.vkeys[0] ?? '',
    logVkeys: log.vkeys,
    selfWitnessed: log.selfWitnessed,
    start() {
      log.start()
      dids.watcher.start()
    },
    async stop() {
      await dids.watcher.stop()
      await log.stop()
    },
    status: log.status,
    anchorNow: log.anchorNow,
    checkWatched: dids.watcher.checkDue,
  }
}
