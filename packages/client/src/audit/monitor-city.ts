import { equalBytes, fromUtf8 } from '@tillit/codec'
import {
  type Checkpoint,
  createProver,
  type Prover,
  parseCheckpoint,
  parseNote,
  parseTrustPolicy,
  parseVerifierKey,
  type TrustPolicy,
  tilePath,
  verifyCheckpoint,
  verifyConsistency,
  verifyWithPolicy,
} from '@tillit/log'
import { isProblem } from '@tillit/problem'
import { answerOf, Unanswered } from './answer-of.ts'
import type { FetchCity } from './fetch-city.ts'
import { isRoot, LedgerWatch } from './ledger-watch.ts'
import { type AlertCode, firstMonitorState, type MonitorState } from './monitor-state.ts'
import { type AuditTrust, maxNoteBytes } from './published-head.ts'

const maxPolicyBytes = 256 * 1024
const maxTileBytes = 8192

export interface MonitorOptions extends AuditTrust {
  readonly fetchCity: FetchCity
  /** What the look before this one gave; left out at the first. */
  readonly state?: MonitorState
  readonly now: () => Date
  /** How long entries may wait for a checkpoint that is published. */
  readonly staleSeconds?: number
  /** How old the newest cosignature may get; left out, a log that does not grow may be silent. */
  readonly cosignedWithinSeconds?: number
  /** How long published entries may wait for the ledger. */
  readonly unanchoredSeconds?: number
  /** The newest head of the ledger as the auditor reaches it; null when it holds none. */
  readonly readLedgerHead?: () => Promise<{ readonly size: number; readonly root: Uint8Array } | null>
}

export interface MonitorEvent {
  /** `verified`: a newer head extends the last one. `raised`, `cleared`: an alert began, or is over. */
  readonly type: 'verified' | 'raised' | 'cleared'
  readonly code: AlertCode | null
  readonly what: string
  /** Two notes that cannot both be true of one log; worth keeping for good. */
  readonly evidence?: readonly [older: string, newer: string]
}

export interface MonitorRound {
  readonly state: MonitorState
  readonly events: readonly MonitorEvent[]
}

/**
 * Looks at a city's log once. The head is verified, and that it extends the head of the look before; what is wrong is told
 * when it begins and when it ends. A head that forks or shrinks is never remembered in place of the last good one.
 */
export async function monitorCity(options: MonitorOptions): Promise<MonitorRound> {
  const look = new Look(options)
  await look.run()
  return look.result()
}

interface Alert {
  readonly code: AlertCode
  readonly what: string
  readonly evidence?: readonly [string, string]
}

class Look {
  readonly #options: MonitorOptions
  readonly #before: MonitorState
  readonly #nowMs: number
  readonly #alerts: Alert[] = []
  readonly #prover: Prover
  readonly #policyText: { seen: string | null } = { seen: null }
  #note: string | null
  readonly #ledger: LedgerWatch
  #verified: string | null = null

  constructor(options: MonitorOptions) {
    this.#options = options
    this.#before = options.state ?? firstMonitorState
    this.#nowMs = options.now().getTime()
    this.#note = this.#before.note
    this.#ledger = new LedgerWatch(options, {
      before: this.#before,
      rootOfTiles: (size) => this.#rootOfTiles(size),
      raise: (code, what) => this.#raise(code, what),
    })
    this.#prover = createProver({ readTiles: (tiles) => Promise.all(tiles.map((tile) => this.#tile(tilePath(tile)))) })
  }

  async run(): Promise<void> {
    try {
      const policy = await this.#policy()
      const note = fromUtf8(await this.#get('/log/checkpoint', maxNoteBytes))
      const head = this.#verify(note, policy)
      if (head === null || !(await this.#extends(note, head))) return
      this.#note = note
      await this.#ledger.judge(head)
    } catch (error) {
      if (error instanceof Unanswered) this.#raise('unreachable', error.message)
      else if (isProblem(error, 'ledger-unavailable')) this.#raise('unreachable', error.message)
      else if (isProblem(error)) this.#raise('malformed', error.message)
      else throw error
    }
  }

  result(): MonitorRound {
    const { alerts: before, policy } = this.#before
    const events: MonitorEvent[] =
      this.#verified === null ? [] : [{ type: 'verified', code: null, what: this.#verified }]
    for (const alert of this.#alerts)
      if (!before.some(({ code }) => code === alert.code)) events.push({ type: 'raised', ...alert })
    for (const { code, what } of before)
      if (!this.#alerts.some((alert) => alert.code === code) && this.#mayClear(code))
        events.push({ type: 'cleared', code, what })
    const kept = before.filter(
      ({ code }) => !this.#alerts.some((alert) => alert.code === code) && !this.#mayClear(code),
    )
    const alerts = this.#alerts.map(({ code, what }) => {
      const since = before.find((alert) => alert.code === code)?.since ?? this.#nowMs
      return { code, what, since }
    })
    const state: MonitorState = {
      version: 1,
      note: this.#note,
      policy: policy ?? this.#policyText.seen,
      heldBackSince: this.#ledger.heldBackSince,
      ledger: this.#ledger.stopped,
      alerts: [...kept, ...alerts],
    }
    return { state, events }
  }

  /** What could not be looked at is not over: only the alert that nobody answers is, once somebody does. */
  #mayClear(code: AlertCode): boolean {
    // Two heads that contradict each other do so for ever, whatever the log shows later.
    if (code === 'forked' || code === 'shrunk') return false
    return !this.#alerts.some((alert) => alert.code === 'unreachable')
  }

  #raise(code: AlertCode, what: string, evidence?: readonly [string, string]): void {
    if (this.#alerts.some((alert) => alert.code === code)) return
    this.#alerts.push(evidence === undefined ? { code, what } : { code, what, evidence })
  }

  /** The auditor's policy, or the log's own as it was when it was first seen. */
  async #policy(): Promise<TrustPolicy | null> {
    const { policy } = this.#options
    if (policy !== undefined) return policy
    const text = await this.#publishedPolicy()
    // One that is not shown any more goes on counting: a log cannot rid itself of its witnesses by silence.
    const known = this.#before.policy ?? text
    this.#policyText.seen = known
    if (text !== known)
      this.#raise(
        'keys-changed',
        'The log publishes under another policy of keys and witnesses than when it was first seen, or under none',
      )
    return known === null ? null : parseTrustPolicy(known)
  }

  async #publishedPolicy(): Promise<string | null> {
    try {
      return fromUtf8(await this.#get('/log/policy', maxPolicyBytes))
    } catch (error) {
      // A log of others may publish none; whoever knows its key can do without.
      if (error instanceof Unanswered && error.status === 404 && this.#options.vkey !== undefined) return null
      throw error
    }
  }

  #verify(note: string, policy: TrustPolicy | null): Checkpoint | null {
    const { vkey } = this.#options
    try {
      if (vkey !== undefined) verifyCheckpoint(note, parseVerifierKey(vkey))
      const head = parseCheckpoint(parseNote(note).text)
      if (policy !== null) this.#judgeAge(verifyWithPolicy(note, policy).cosignedBy)
      return head
    } catch (error) {
      if (!isProblem(error)) throw error
      this.#raise(error.code === 'checkpoint-not-witnessed' ? 'quorum-lost' : 'checkpoint-invalid', error.message)
      return null
    }
  }

  #judgeAge(cosignedBy: readonly { readonly timestampSeconds: number }[]): void {
    const { cosignedWithinSeconds } = this.#options
    if (cosignedWithinSeconds === undefined) return
    const newest = Math.max(0, ...cosignedBy.map(({ timestampSeconds }) => timestampSeconds))
    const ageSeconds = Math.floor(this.#nowMs / 1000) - newest
    if (ageSeconds > cosignedWithinSeconds)
      this.#raise('stale', `The newest cosignature is ${newest === 0 ? 'missing' : `${ageSeconds} s old`}`)
  }

  /** Whether the head extends the last one; raises what it is instead. */
  async #extends(note: string, head: Checkpoint): Promise<boolean> {
    if (this.#before.note === null) {
      if (!isRoot(await this.#rootOfTiles(head.size), head.root)) return this.#tilesDiffer(head)
      this.#verified = `first seen at ${head.size} entries`
      return true
    }
    const before = parseCheckpoint(parseNote(this.#before.note).text)
    const evidence = [this.#before.note, note] as const
    if (head.origin !== before.origin) this.#raise('keys-changed', 'The log has another origin', evidence)
    else if (head.size < before.size)
      this.#raise('shrunk', `The log shrank from ${before.size} to ${head.size} entries`, evidence)
    else if (head.size === before.size) {
      if (equalBytes(head.root, before.root)) return true
      this.#raise('forked', `There are two logs of ${head.size} entries`, evidence)
    } else return this.#isConsistent(before, head, evidence)
    return false
  }

  /** The root of the city's tiles; null when some of them are missing. */
  async #rootOfTiles(size: number): Promise<Uint8Array | null> {
    try {
      return await this.#prover.root(size)
    } catch (error) {
      if (isProblem(error)) return null
      throw error
    }
  }

  async #isConsistent(before: Checkpoint, head: Checkpoint, evidence: readonly [string, string]): Promise<boolean> {
    // The tiles first: only when they are those of the new head do they say what the old one should have been.
    if (!isRoot(await this.#rootOfTiles(head.size), head.root)) return this.#tilesDiffer(head)
    try {
      verifyConsistency(before, head, await this.#prover.consistencyProof(before.size, head.size))
    } catch (error) {
      if (!isProblem(error)) throw error
      this.#raise('forked', `The log of ${head.size} entries does not begin with that of ${before.size}`, evidence)
      return false
    }
    this.#verified = `${head.size} entries extend the ${before.size} before`
    return true
  }

  #tilesDiffer({ size }: Checkpoint): boolean {
    this.#raise('tiles-differ', `The tiles do not give the root of the checkpoint at ${size} entries`)
    return false
  }

  /** A tile that is not there is too narrow for any proof. */
  async #tile(path: string): Promise<Uint8Array> {
    try {
      return await this.#get(`/log/${path}`, maxTileBytes)
    } catch (error) {
      if (error instanceof Unanswered && error.status === 404) return new Uint8Array(0)
      throw error
    }
  }

  #get(path: string, maxBytes: number): Promise<Uint8Array> {
    return answerOf(this.#options.fetchCity, path, maxBytes)
  }
}
