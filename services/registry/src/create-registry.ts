import { createResolver, type DidResolution, type ResolveOptions } from '@tillit/did'
import type { TillitServer } from '@tillit/http'
import { formatVerifierKey, verifierKey } from '@tillit/log'
import { createAnchorStore } from './anchor-store.ts'
import { createAnchorer } from './anchorer.ts'
import { createDidStore } from './did-store.ts'
import { createLogStore } from './log-store.ts'
import { registryRoutes } from './plugin.ts'
import type { RegistryPorts } from './ports.ts'
import { type LedgerStatus, readLedger } from './read-ledger.ts'
import { createSequencer } from './sequencer.ts'

export interface RegistryStatus extends LedgerStatus {
  /** Why outboxes do not reach the log, or null. */
  readonly sequencing_fault: string | null
}

export interface Registry {
  readonly routes: (app: TillitServer) => Promise<void>
  /** Resolves did:webvh of this registry without HTTP, and did:key, did:jwk, did:web and foreign did:webvh. */
  resolveDid(did: string, options?: ResolveOptions): Promise<DidResolution>
  /** Verifier key of the log, to be pinned by whoever verifies receipts. */
  readonly logVkey: string
  /** Starts sequencing and anchoring in the background. */
  start(): void
  stop(): Promise<void>
  status(): Promise<RegistryStatus>
  /** One round of anchoring now. */
  anchorNow(): Promise<void>
}

/** The registry over its ports; construct one for each process. */
export function createRegistry(ports: RegistryPorts): Registry {
  const dids = createDidStore(ports.database)
  const log = createLogStore(ports.database)
  const anchors = createAnchorStore(ports.database)
  const sequencer = createSequencer(log, ports)
  const anchorer = createAnchorer({ log, anchors }, ports)
  const { resolve } = createResolver({ webvhLog: dids.readLog, fetchText: ports.fetchText, now: ports.now })
  return {
    routes: registryRoutes({
      dids: { store: dids, ports, resolve, onAccepted: sequencer.wake },
      log: { log, anchors, dids, anchorer, ports },
    }),
    resolveDid: resolve,
    logVkey: formatVerifierKey(verifierKey(ports.logOrigin, ports.logSigner.publicKey)),
    start() {
      sequencer.start()
      anchorer.start()
    },
    async stop() {
      await sequencer.stop()
      await anchorer.stop()
    },
    status: async () => ({
      ...(await readLedger({ log, anchors, anchorer, ports })),
      sequencing_fault: sequencer.fault,
    }),
    anchorNow: anchorer.anchorNow,
  }
}
