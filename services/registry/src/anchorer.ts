import { setTimeout as delay } from 'node:timers/promises'
import type { Ledger } from '@tillit/ledger'
import { isProblem, Problem } from '@tillit/problem'
import { anchorLog } from './anchor-log.ts'
import type { AnchorStore } from './anchor-store.ts'
import { compareWithLedger } from './compare-with-ledger.ts'
import { type Condition, createCondition } from './condition.ts'
import type { LogReader } from './log-store.ts'
import { type Loop, startLoop } from './loop.ts'
import type { RegistryPorts } from './ports.ts'
import type { PublicationReader } from './publication-store.ts'
import type { PublishedLog } from './published-log.ts'

/** How long a round may go on after the stop. */
const graceMs = 3000

/** How long the log waits at the start for what the ledger says; one that is out of reach must not silence it. */
const firstWordMs = 5000

/** What the ledger says of the log. Nothing is signed or published against it. */
export interface LedgerWord {
  /** Throws Problem anchor-mismatch while the ledger contradicts the log. False before the ledger was asked for the first time. */
  allows(): boolean
}

export interface Anchorer extends LedgerWord {
  /** The ledger once it was opened. */
  readonly ledger: Ledger | null
  /** Why the log is not being anchored, or null. */
  readonly fault: string | null
  /** One round now; for tests and for operators who will not wait. Never throws: the fault is the state. */
  anchorNow(): Promise<void>
  start(): void
  stop(): Promise<void>
}

/** Anchors the published log at intervals. While the ledger is down the log goes on, and the next round catches up. */
export function createAnchorer(
  stores: { log: LogReader; publications: PublicationReader; published: PublishedLog; anchors: AnchorStore },
  ports: RegistryPorts,
  onFirstWord: () => void,
): Anchorer {
  const condition: Condition = createCondition('anchoring', ports.logger)
  let ledger: Ledger | null = null
  let loop: Loop | null = null
  let lastRound: Promise<void> = Promise.resolve()
  let contradiction: Problem | null = null
  const stopping = new AbortController()
  /** By the clock of the process, which is never set back; null once the ledger has spoken, or could not. */
  let waitsUntil: number | null = 'absent' in ports.ledger ? null : Number.POSITIVE_INFINITY
  return {
    get ledger() {
      return ledger
    },
    get fault() {
      return 'absent' in ports.ledger ? ports.ledger.absent : condition.fault
    },
    anchorNow,
    allows() {
      if (contradiction !== null) throw contradiction
      return waitsUntil === null || performance.now() >= waitsUntil
    },
    start() {
      if ('absent' in ports.ledger) return ports.logger.warn({ part: 'anchoring' }, ports.ledger.absent)
      if (waitsUntil !== null) waitsUntil = performance.now() + firstWordMs
      loop = startLoop(anchorNow, { intervalMs: ports.anchorIntervalSeconds * 1000, onFault: condition.fails })
    },
    async stop() {
      const stopped = loop?.stop()
      // An anchor on its way gets time to arrive; one that is cut off is found on the ledger at the next start.
      await Promise.race([stopped, delay(graceMs, undefined, { ref: false })])
      stopping.abort(new Problem('ledger-unavailable', { detail: 'The registry stops' }))
      await ledger?.close()
      await stopped
    },
  }

  /** Rounds of this process queue up; while another process is at it, ours does nothing. */
  function anchorNow(): Promise<void> {
    lastRound = lastRound.then(anchorOnce)
    return lastRound
  }

  function tellLost(anchors: number): void {
    ports.logger.error({ part: 'anchoring', anchors }, 'the ledger lost anchors that it held; the log is anchored anew')
  }

  /** What was found stays until the ledger agrees: one that does not answer takes nothing back. */
  async function compare(ledger: Ledger): Promise<void> {
    contradiction = await compareWithLedger(ledger, stores, { embedded: ports.ledgerEmbedded === true })
    hasSpoken()
    if (contradiction !== null) throw contradiction
  }

  function hasSpoken(): void {
    if (waitsUntil === null) return
    waitsUntil = null
    onFirstWord()
  }

  async function anchorOnce(): Promise<void> {
    if ('absent' in ports.ledger) return
    const open = ports.ledger
    try {
      await stores.anchors.alone(async () => {
        ledger ??= await open(stopping.signal)
        await compare(ledger)
        await anchorLog(ledger, { ...stores, now: ports.now, onLost: tellLost })
      })
      condition.works()
    } catch (error) {
      condition.fails(error)
      // A wrong contract or key is for the operator to mend; opened anew, the mended one is taken up.
      if (isProblem(error, 'invalid-configuration')) ledger = null
    } finally {
      hasSpoken()
    }
  }
}
