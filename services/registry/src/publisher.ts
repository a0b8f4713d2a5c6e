import type { LedgerWord } from './anchorer.ts'
import { type Condition, createCondition } from './condition.ts'
import type { LogReader } from './log-store.ts'
import { type Loop, startLoop } from './loop.ts'
import type { RegistryPorts } from './ports.ts'
import type { PublicationStore, WitnessState } from './publication-store.ts'
import { publishNewestCheckpoint } from './publish-checkpoint.ts'
import type { Witnessing } from './witnessing.ts'

/** How soon a checkpoint that another process signed is noticed. */
const pollIntervalMs = 500

/** How long witnesses are left in peace after a round that did not meet the quorum. */
const retryMs = 2000

/** How long notes may gather before they are looked through again: at most one a second comes. */
const pruneIntervalMs = 30_000

export interface PublisherParts {
  readonly log: LogReader
  readonly publications: PublicationStore
  readonly witnessing: Witnessing
  readonly ledger: LedgerWord
  /** Deletes notes that nothing rests on; gives whether there may be more of them. */
  readonly prune: () => Promise<boolean>
  /** Called after each publication, and once after the start: whatever rests on the published log can go on. */
  readonly onPublished: (size: number) => Promise<void>
}

export interface Publisher {
  /** Why signed checkpoints are not published, or null. */
  readonly fault: string | null
  start(): void
  /** There is a new checkpoint. */
  wake(): void
  stop(): Promise<void>
}

/** Keeps taking signed checkpoints to the witnesses and publishing them. Neither the log nor a transaction waits for it. */
export function createPublisher(parts: PublisherParts, ports: Pick<RegistryPorts, 'now' | 'logger'>): Publisher {
  const condition = createCondition('publishing', ports.logger)
  const following = createCondition('following the published log', ports.logger)
  const pruning = createCondition('pruning', ports.logger)
  const conditions = new Map<string, Condition>()
  const stopping = new AbortController()
  let loop: Loop | null = null
  let handedOn = 0
  /** By the clock of the process, which is never set back. */
  let notBefore = 0
  let pruneNotBefore = 0

  return {
    get fault() {
      return condition.fault ?? following.fault
    },
    start() {
      loop = startLoop(pass, { intervalMs: pollIntervalMs, onFault: condition.fails })
    },
    wake: () => loop?.wake(),
    async stop() {
      stopping.abort()
      await loop?.stop()
    },
  }

  async function pass(): Promise<void> {
    await parts.publications.alone(async () => {
      if (performance.now() >= notBefore) await publish()
      await handOn()
      await prune()
    })
  }

  async function publish(): Promise<void> {
    try {
      if (!parts.ledger.allows()) return
      await publishNewestCheckpoint({ ...parts, now: ports.now, onAnswers: tell, signal: stopping.signal })
      condition.works()
    } catch (error) {
      if (stopping.signal.aborted) return
      notBefore = performance.now() + retryMs
      condition.fails(error)
    }
  }

  /** A crash between the publication and here is made good at the next start, as nothing has been handed on then. */
  async function handOn(): Promise<void> {
    const newest = await parts.publications.newest()
    if (newest === null || newest.size <= handedOn) return
    try {
      await parts.onPublished(newest.size)
      handedOn = newest.size
      following.works()
    } catch (error) {
      following.fails(error)
    }
  }

  /** Room that is not made now is made later. */
  async function prune(): Promise<void> {
    if (performance.now() < pruneNotBefore) return
    try {
      if (!(await parts.prune())) pruneNotBefore = performance.now() + pruneIntervalMs
      pruning.works()
    } catch (error) {
      pruning.fails(error)
    }
  }

  function tell(states: readonly WitnessState[]): void {
    for (const { name, fault } of states) {
      const witness = conditions.get(name) ?? createCondition(`witness ${name}`, ports.logger)
      conditions.set(name, witness)
      if (fault === null) witness.works()
      else witness.fails(new Error(fault))
    }
  }
}
