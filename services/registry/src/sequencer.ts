import { isProblem } from '@tillit/problem'
import type { LedgerWord } from './anchorer.ts'
import { createCondition } from './condition.ts'
import type { LogStore } from './log-store.ts'
import { type Loop, startLoop } from './loop.ts'
import type { RegistryPorts } from './ports.ts'
import { sequenceOutboxes, signNewCheckpoint, verifyStoredLog } from './sequence-log.ts'

/** How long an entry waits at most when its notification was lost. */
const pollIntervalMs = 500

/** How long to wait before listening again after the connection that listens broke. */
const relistenMs = 5000

export interface Sequencer {
  readonly fault: string | null
  start(): void
  /** There may be something in an outbox. */
  wake(): void
  stop(): Promise<void>
}

/**
 * Keeps moving outboxes into the log and signing checkpoints; woken by notifications, polling in any case. A log that does
 * not extend what it has signed, or that the ledger contradicts, is not touched until it does again: entries wait in the
 * outboxes.
 */
export function createSequencer(
  log: LogStore,
  ports: RegistryPorts,
  { ledger, onSigned }: { ledger: LedgerWord; onSigned: () => void },
): Sequencer {
  const condition = createCondition('sequencing', ports.logger)
  const listening = createCondition('listening', ports.logger)
  let loop: Loop | null = null
  let listenLoop: Loop | null = null
  let listener: { close(): Promise<void> } | null = null
  let verified = false

  return {
    get fault() {
      return condition.fault
    },
    start() {
      loop = startLoop(pass, { intervalMs: pollIntervalMs, onFault: fails })
      listenLoop = startLoop(listen, { intervalMs: relistenMs, onFault: listening.fails })
    },
    wake: () => loop?.wake(),
    async stop() {
      await listenLoop?.stop()
      await listener?.close()
      await loop?.stop()
    },
  }

  async function pass(): Promise<void> {
    if (!ledger.allows()) return
    if (!verified) await verifyStoredLog(log)
    verified = true
    const appended = await sequenceOutboxes(log, ports)
    if (await signNewCheckpoint(log, ports)) onSigned()
    condition.works()
    if (appended > 0) loop?.wake()
  }

  function fails(error: unknown): void {
    if (isProblem(error, 'log-inconsistent')) verified = false
    condition.fails(error)
  }

  async function listen(): Promise<void> {
    if (listener !== null || ports.listenOutbox === undefined) return
    listener = await ports.listenOutbox(() => loop?.wake())
    listening.works()
  }
}
