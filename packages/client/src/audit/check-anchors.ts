import { equalBytes, fromHex } from '@tillit/codec'
import { isProblem } from '@tillit/problem'
import type { AnchorEvidence } from '@tillit/schemas'
import type { CityReader } from './city-reader.ts'
import type { Findings } from './finding.ts'
import { Pull } from './pull.ts'
import { readAnchorList } from './read-lists.ts'

/** A head that the ledger holds. */
export interface LedgerHead {
  readonly size: number
  readonly root: Uint8Array
  readonly transaction: string
}

/** The ledger itself, as the auditor reaches it, not as the city tells of it. */
export interface LedgerReader {
  /** The contract that the auditor reads; anchors elsewhere prove nothing. */
  readonly contract: string
  /** Every head of the contract, the smallest first. */
  readAnchors(): Promise<readonly LedgerHead[]>
}

/** Compares the anchors, those that the city names and those that the ledger holds, with the tree as it is replayed. */
export class AnchorCheck {
  readonly #findings: Findings
  readonly #city: CityReader
  #named: Pull<AnchorEvidence>
  #ledger: LedgerReader | null
  /** What the ledger held when it was read last, the smallest first. */
  #heads: readonly LedgerHead[] = []
  #next = 0
  checked = 0

  constructor(city: CityReader, findings: Findings, ledger: LedgerReader | null) {
    this.#city = city
    this.#findings = findings
    this.#named = new Pull(readAnchorList(city, 0))
    this.#ledger = ledger
  }

  /** Reads what the ledger holds. Before the newest checkpoint, or the ledger would be ahead of it by right. */
  async readLedger(): Promise<void> {
    if (this.#ledger === null) return
    try {
      this.#heads = [...(await this.#ledger.readAnchors())].sort((a, b) => a.size - b.size)
    } catch (error) {
      if (!isProblem(error)) throw error
      this.#findings.error('ledger-unreadable', `contract ${this.#ledger.contract}`, error.message)
      this.#ledger = null
      this.#heads = []
    }
  }

  /** Begins again behind a size that was compared: both sides have more than when their ends were read. */
  goOn(size: number): void {
    this.#named = new Pull(readAnchorList(this.#city, size + 1))
    const next = this.#heads.findIndex((head) => head.size > size)
    this.#next = next < 0 ? this.#heads.length : next
  }

  /** Whether an anchor waits that is beyond a log of this size: a newer checkpoint should explain it. */
  async isAheadOf(size: number): Promise<boolean> {
    return (await this.nextAfter(size)) !== null
  }

  /** The smallest anchored size beyond `size`: the root of the tree is needed there. */
  async nextAfter(size: number): Promise<number | null> {
    const named = await this.#named.peek()
    const onLedger = this.#heads[this.#next]?.size
    const next = Math.min(named?.size ?? Number.POSITIVE_INFINITY, onLedger ?? Number.POSITIVE_INFINITY)
    return next > size && Number.isFinite(next) ? next : null
  }

  /** Compares all anchors of this size with the root; null when it could not be computed. */
  async compare(size: number, root: Uint8Array | null): Promise<void> {
    const onLedger = this.#takeFromLedger(size)
    if (onLedger !== null && root !== null && !equalBytes(onLedger.root, root))
      this.#findings.error(
        'anchor-differs',
        `size ${size}`,
        `The ledger holds another root (transaction ${onLedger.transaction})`,
      )
    const named = await this.#named.takeIf((anchor) => anchor.size <= size)
    if (named === null) {
      if (onLedger !== null) await this.#unnamed(onLedger)
      return
    }
    this.checked++
    if (root !== null && !sameRoot(named.root, root))
      this.#findings.error(
        'anchor-differs',
        `size ${size}`,
        'The city names an anchor of another root than that of its log',
      )
    await this.#compareWithLedger(named, onLedger)
  }

  /** After the newest head: what is left on either side speaks of a log that is not published. */
  async finish(size: number): Promise<void> {
    for (let named = await this.#named.takeIf(() => true); named !== null; named = await this.#named.takeIf(() => true))
      this.#findings.error(
        'anchor-beyond-log',
        `size ${named.size}`,
        `The city names an anchor beyond its log of ${size} entries`,
      )
    for (const beyond of this.#heads.slice(this.#next))
      this.#findings.error(
        'anchor-beyond-log',
        `size ${beyond.size}`,
        `The ledger holds an anchor beyond the log of ${size} entries`,
      )
  }

  #takeFromLedger(size: number): LedgerHead | null {
    const head = this.#heads[this.#next]
    if (head === undefined || head.size !== size) return null
    this.#next++
    return head
  }

  /** The newest anchors of the ledger may still wait for their confirmations; older ones the city must name. */
  async #unnamed({ size, transaction }: LedgerHead): Promise<void> {
    const what = `The city does not name an anchor that the ledger holds (transaction ${transaction})`
    if ((await this.#named.peek()) === null) this.#findings.warning('anchor-hidden', `size ${size}`, what)
    else this.#findings.error('anchor-hidden', `size ${size}`, what)
  }

  /** Anchors go on while the log is being replayed, so one that is newer than what was read is looked for again. */
  async #newlyOnLedger(size: number): Promise<LedgerHead | null> {
    if (size <= (this.#heads.at(-1)?.size ?? -1)) return null
    await this.readLedger()
    while ((this.#heads[this.#next]?.size ?? Number.POSITIVE_INFINITY) < size) this.#next++
    return this.#takeFromLedger(size)
  }

  async #compareWithLedger(named: AnchorEvidence, known: LedgerHead | null): Promise<void> {
    if (this.#ledger === null) return
    const onLedger = known ?? (await this.#newlyOnLedger(named.size))
    const where = `size ${named.size}`
    if (named.contract.toLowerCase() !== this.#ledger.contract.toLowerCase())
      this.#findings.warning('anchor-elsewhere', where, `The anchor is on the contract ${named.contract}`)
    else if (onLedger === null)
      this.#findings.error(
        'anchor-not-on-ledger',
        where,
        `The ledger does not hold it (transaction ${named.transaction})`,
      )
    else if (!sameRoot(named.root, onLedger.root))
      this.#findings.error('anchor-differs', where, 'The city names another root than the ledger holds')
  }
}

function sameRoot(hex: string, root: Uint8Array): boolean {
  return /^[0-9a-f]{64}$/.test(hex) && equalBytes(fromHex(hex), root)
}
