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
  /** Verifier key of the log, to be pinned by whoever verifies receipts. */
  readonly logVkey: string
  /** True when the operator's own witnesses can meet the quorum of the log alone, or when it asks for none. */
  readonly selfWitnessed: boolean
  /** Starts sequencing, publishing and anchoring in the background. */
  start(): void
  stop(): Promise<void>
  status(): Promise<RegistryStatus>
  /** One round of anchoring now. */
  anchorNow(): Promise<void>
}

/** The registry over its ports; construct one for each process. */
export function createRegistry(ports: RegistryPorts): Registry {
  const dids = createDids(ports, () => log.wake())
  const log: Log = createLog(ports, { dids: dids.store, onPublished: dids.approve })
  return {
    routes: registryRoutes({ ...dids.routeParts, log: log.routeParts }),
    resolveDid: dids.resolve,
    logVkey: log.vkey,
    selfWitnessed: log.selfWitnessed,
    start: log.start,
    stop: log.stop,
    status: log.status,
    anchorNow: log.anchorNow,
  }
}
