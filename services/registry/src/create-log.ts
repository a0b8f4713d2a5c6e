import type { LedgerStatus } from '@tillit/schemas'
import { createAnchorStore } from './anchor-store.ts'
import { createAnchorer } from './anchorer.ts'
import type { DidStore } from './did-store.ts'
import type { LogRouteParts } from './log-routes.ts'
import { createLogStore } from './log-store.ts'
import { createOpeningReader } from './opening-store.ts'
import type { RegistryPorts } from './ports.ts'
import { createPruner } from './prune-notes.ts'
import { createPublicationStore } from './publication-store.ts'
import { createPublishedLog } from './published-log.ts'
import { createPublisher } from './publisher.ts'
import { readLedger } from './read-ledger.ts'
import { createRetentionStore } from './retention-store.ts'
import { createSequencer } from './sequencer.ts'
import { createWitnessing, vkeysOf } from './witnessing.ts'

export interface LogOptions {
  /** Whose listed entries anyone may open. */
  readonly dids: Pick<DidStore, 'readListedEntry'>
  /** Called after each publication, and once after the start. */
  readonly onPublished: (size: number) => Promise<void>
}

export interface LogStatus extends LedgerStatus {
  /** Why outboxes do not reach the log, or null. */
  readonly sequencing_fault: string | null
}

export interface Log {
  readonly routeParts: LogRouteParts
  /** Verifier keys of the log, the active one first. */
  readonly vkeys: readonly string[]
  readonly selfWitnessed: boolean
  /** There may be something in an outbox. */
  wake(): void
  start(): void
  stop(): Promise<void>
  status(): Promise<LogStatus>
  anchorNow(): Promise<void>
}

/** The log: outboxes are sequenced, signed, cosigned, published and anchored, each step for itself and in this order. */
export function createLog(ports: RegistryPorts, { dids, onPublished }: LogOptions): Log {
  const witnessing = createWitnessing(ports)
  const log = createLogStore(ports.database)
  const publications = createPublicationStore(ports.database)
  const anchors = createAnchorStore(ports.database)
  const published = createPublishedLog(publications, log.readTiles)
  const prune = createPruner(createRetentionStore(ports.database))
  const anchorer = createAnchorer({ log, publications, published, anchors }, ports, () => {
    sequencer.wake()
    publisher.wake()
  })
  const publisher = createPublisher({ log, publications, witnessing, ledger: anchorer, prune, onPublished }, ports)
  const sequencer = createSequencer(log, ports, { ledger: anchorer, onSigned: publisher.wake })
  const openings = createOpeningReader(ports.database)
  const routeParts = { log, published, publications, publisher, anchors, anchorer, openings, dids, witnessing, ports }
  return {
    routeParts,
    vkeys: vkeysOf(witnessing),
    selfWitnessed: witnessing.selfWitnessed,
    wake: sequencer.wake,
    start() {
      sequencer.start()
      publisher.start()
      anchorer.start()
    },
    async stop() {
      await sequencer.stop()
      await publisher.stop()
      await anchorer.stop()
    },
    status: async () => ({ ...(await readLedger(routeParts)), sequencing_fault: sequencer.fault }),
    anchorNow: anchorer.anchorNow,
  }
}
