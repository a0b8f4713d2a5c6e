import { equalBytes } from '@tillit/codec'
import {
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  type TrustPolicy,
  verifyCheckpoint,
  verifyWithPolicy,
} from '@tillit/log'
import { isProblem } from '@tillit/problem'
import type { CityReader } from './city-reader.ts'
import type { Findings } from './finding.ts'
import type { AuditTrust, PublishedHead } from './published-head.ts'
import { Pull } from './pull.ts'
import { type ListedCheckpoint, readCheckpointList } from './read-lists.ts'

/** Compares every checkpoint that the city published and keeps with the tree as it is replayed. */
export class CheckpointCheck {
  readonly #city: CityReader
  readonly #findings: Findings
  readonly #trust: AuditTrust
  #policy: TrustPolicy | null = null
  #newest: PublishedHead | null = null
  #listed: Pull<ListedCheckpoint>
  /** The first that the trust of today does not cover, and how many: keys are rotated, and policies change. */
  #uncovered: { size: number; why: string; count: number } | null = null
  checked = 0

  constructor(city: CityReader, findings: Findings, trust: AuditTrust) {
    this.#city = city
    this.#findings = findings
    this.#trust = trust
    this.#listed = new Pull(readCheckpointList(city, 0))
  }

  /** The policy, and the newest checkpoint, which was judged by itself. */
  judgeBy(policy: TrustPolicy | null, newest: PublishedHead): void {
    this.#policy = policy
    this.#newest = newest
  }

  /** Begins again behind a size that was compared: the city has published more since the list ended. */
  goOn(size: number): void {
    this.#listed = new Pull(readCheckpointList(this.#city, size + 1))
  }

  /** The smallest published size beyond `size`: the root of the tree is needed there. */
  async nextAfter(size: number): Promise<number | null> {
    const next = await this.#listed.peek()
    return next !== null && next.size > size ? next.size : null
  }

  /** Compares the checkpoint of this size, if there is one, with the root; null when that could not be computed. */
  async compare(size: number, root: Uint8Array | null): Promise<void> {
    const listed = await this.#listed.takeIf((checkpoint) => checkpoint.size <= size)
    if (listed === null) return
    const where = `size ${listed.size}`
    try {
      const checkpoint = parseCheckpoint(parseNote(listed.note).text)
      if (checkpoint.size !== listed.size)
        this.#findings.error('checkpoint-malformed', where, `The checkpoint listed there is of size ${checkpoint.size}`)
      else if (checkpoint.origin !== this.#newest?.origin)
        this.#findings.error('checkpoint-differs', where, `The city published a checkpoint of ${checkpoint.origin}`)
      else if (root !== null && !equalBytes(checkpoint.root, root))
        this.#findings.error(
          'checkpoint-differs',
          where,
          'The city published a checkpoint of another root than its log has',
        )
    } catch (error) {
      if (!isProblem(error)) throw error
      this.#findings.error('checkpoint-malformed', where, error.message)
      return
    }
    if (listed.size !== this.#newest?.size) this.#judge(listed)
    if (root !== null) this.checked++
  }

  /** Tells once of all that are not signed as the newest one has to be. */
  finish(): void {
    if (this.#uncovered === null) return
    const { size, why, count } = this.#uncovered
    const what = count === 1 ? 'this older checkpoint' : `${count} older checkpoints, of which this is the first`
    this.#findings.warning(
      'checkpoint-not-covered',
      `size ${size}`,
      `The keys and witnesses of today do not cover ${what}: ${why}`,
    )
  }

  #judge({ size, note }: ListedCheckpoint): void {
    const { vkey } = this.#trust
    try {
      if (vkey !== undefined) verifyCheckpoint(note, parseVerifierKey(vkey))
      if (this.#policy !== null) verifyWithPolicy(note, this.#policy)
    } catch (error) {
      if (!isProblem(error)) throw error
      this.#uncovered = {
        ...(this.#uncovered ?? { size, why: error.message }),
        count: (this.#uncovered?.count ?? 0) + 1,
      }
    }
  }
}
