import { equalBytes, fromUtf8 } from '@tillit/codec'
import type { Checkpoint } from '@tillit/log'
import { answerOf } from './answer-of.ts'
import { parseLedgerStatus } from './ledger-status.ts'
import type { MonitorOptions } from './monitor-city.ts'
import type { AlertCode, MonitorState } from './monitor-state.ts'

const maxStatusBytes = 256 * 1024

/** How long a log may hold entries back from its checkpoints, and published entries from the ledger, unless told otherwise. */
const defaultStaleSeconds = 300
const defaultUnanchoredSeconds = 1800

interface LedgerWatchParts {
  readonly before: MonitorState
  /** The root of the city's tiles; null when some of them are missing. */
  readonly rootOfTiles: (size: number) => Promise<Uint8Array | null>
  readonly raise: (code: AlertCode, what: string) => void
}

/** How far the city's entries are published and anchored: by its own word, and by the ledger where the auditor reaches it. */
export class LedgerWatch {
  readonly #options: MonitorOptions
  readonly #parts: LedgerWatchParts
  readonly #nowMs: number
  /** Since when the city has signed more than it publishes (milliseconds); null when it has not. */
  heldBackSince: number | null
  /** The head at which the ledger stands still behind the log; null when it has it all. */
  stopped: MonitorState['ledger']

  constructor(options: MonitorOptions, parts: LedgerWatchParts) {
    this.#options = options
    this.#parts = parts
    this.#nowMs = options.now().getTime()
    this.heldBackSince = parts.before.heldBackSince
    this.stopped = parts.before.ledger
  }

  /** Throws Unanswered and Problem ledger-unavailable for what could not be looked at; what was seen before it stays. */
  async judge(head: Checkpoint): Promise<void> {
    const { fetchCity, readLedgerHead } = this.#options
    const status = parseLedgerStatus(fromUtf8(await answerOf(fetchCity, '/registry/ledger', maxStatusBytes)))
    if (status.publishingFault !== null) this.#parts.raise('publishing-stopped', status.publishingFault)
    this.#judgeHeldBack(status.signedSize > head.size)
    this.#judgeWait(status.unanchoredSince)
    if (status.lastAnchor !== null) await this.#compareAnchor(head, status.lastAnchor, 'The city names')
    if (readLedgerHead === undefined) return
    const onLedger = await readLedgerHead()
    if (onLedger !== null) await this.#compareAnchor(head, onLedger, 'The ledger holds')
    this.#judgeWait(this.#ledgerStoppedSince(onLedger?.size ?? 0, head))
  }

  #judgeHeldBack(isHeldBack: boolean): void {
    this.heldBackSince = isHeldBack ? (this.heldBackSince ?? this.#nowMs) : null
    const seconds = this.heldBackSince === null ? 0 : (this.#nowMs - this.heldBackSince) / 1000
    if (seconds > (this.#options.staleSeconds ?? defaultStaleSeconds))
      this.#parts.raise('stale', `Entries have waited ${Math.floor(seconds)} s for a checkpoint that is published`)
  }

  #judgeWait(unanchoredSince: number | null): void {
    const seconds = unanchoredSince === null ? 0 : (this.#nowMs - unanchoredSince) / 1000
    if (seconds > (this.#options.unanchoredSeconds ?? defaultUnanchoredSeconds))
      this.#parts.raise('unanchored', `Published entries have waited ${Math.floor(seconds)} s for the ledger`)
  }

  /** Since when the ledger has been seen to hold the same smaller head; null when it has it all. The city is not asked. */
  #ledgerStoppedSince(size: number, head: Checkpoint): number | null {
    const { ledger: before } = this.#parts.before
    this.stopped = size >= head.size ? null : before?.size === size ? before : { size, since: this.#nowMs }
    return this.stopped?.since ?? null
  }

  async #compareAnchor(head: Checkpoint, anchor: { size: number; root: Uint8Array }, who: string): Promise<void> {
    // One that is newer than the checkpoint just read is compared at the next look.
    if (anchor.size > head.size) return
    if (!isRoot(await this.#parts.rootOfTiles(anchor.size), anchor.root))
      this.#parts.raise('anchor-differs', `${who} another root at ${anchor.size} entries than the log has`)
  }
}

export function isRoot(ofTiles: Uint8Array | null, root: Uint8Array): boolean {
  return ofTiles !== null && equalBytes(ofTiles, root)
}
