import { equalBytes, fromBase64url, toHex } from '@tillit/codec'
import { emptyRoot, leafHash, logEntry, parseLogEntry, type TrustPolicy, verifyOpening } from '@tillit/log'
import { isProblem } from '@tillit/problem'
import { AnchorCheck, type LedgerReader } from './check-anchors.ts'
import { CheckpointCheck } from './check-checkpoints.ts'
import { CityReader } from './city-reader.ts'
import type { FetchCity } from './fetch-city.ts'
import { type Finding, Findings } from './finding.ts'
import { type AuditTrust, type PublishedHead, policyOf, readHead } from './published-head.ts'
import { Pull } from './pull.ts'
import { type IndexedOpening, readOpenings } from './read-lists.ts'
import { DidReplay } from './replay-dids.ts'
import { type ReplayedEntry, TreeReplay } from './replay-tree.ts'

/** How long what is served ahead of the log may take to come under a checkpoint, and how often that is looked at. */
const settleRounds = 3
const settleMilliseconds = 2000

export interface FsckOptions extends AuditTrust {
  readonly fetchCity: FetchCity
  /** The ledger, as the auditor reaches it. Without it anchors are compared with the log only. */
  readonly ledger?: LedgerReader
  readonly now: () => Date
  readonly onProgress?: (progress: FsckProgress) => void
  readonly settleMilliseconds?: number
}

export interface FsckProgress {
  /** First the entries of the log are replayed, then what is served of each public DID is compared with them. */
  readonly stage: 'entries' | 'dids'
  readonly done: number
  readonly total: number
}

export interface FsckReport {
  /** Nothing contradicts the city: no finding is an error. */
  readonly sound: boolean
  readonly origin: string | null
  readonly size: number
  /** Hexadecimal: of the newest checkpoint. */
  readonly root: string | null
  readonly cosignedBy: PublishedHead['cosignedBy']
  /** Whose word was taken for which key signs, and for which witnesses count; null: nobody's. */
  readonly trust: { readonly key: Word | null; readonly witnesses: Word | null }
  readonly counts: {
    readonly entries: number
    /** Entries that anyone may open, and did. */
    readonly opened: number
    /** Entries that only those concerned can open. */
    readonly unlisted: number
    readonly dids: number
    readonly tiles: number
    /** Published ones that the city keeps. */
    readonly checkpoints: number
    readonly anchors: number
  }
  readonly findings: readonly Finding[]
  /** How many more findings there were than are listed. */
  readonly moreFindings: number
}

type Word = 'the auditor’s' | 'the log’s own'

/**
 * Replays the whole log of a city and compares all that it shows with all that it says elsewhere: every checkpoint that it
 * keeps and their cosignatures, every tile and bundle, every public entry and the DID chains that they make, which DIDs
 * are listed and what is served of them, anchors and the ledger. It does not stop at what is wrong. The memory it needs grows with the public DIDs, not with the log.
 */
export async function fsckCity(options: FsckOptions): Promise<FsckReport> {
  const audit = new Audit(options)
  await audit.run()
  return audit.report()
}

class Audit {
  readonly #options: FsckOptions
  readonly #findings = new Findings()
  readonly #city: CityReader
  readonly #tree: TreeReplay
  readonly #dids: DidReplay
  readonly #anchors: AnchorCheck
  readonly #checkpoints: CheckpointCheck
  #policy: TrustPolicy | null = null
  #head: PublishedHead | null = null
  #opened = 0
  #unlisted = 0

  constructor(options: FsckOptions) {
    const { fetchCity, ledger, now } = options
    this.#options = options
    this.#city = new CityReader(fetchCity, this.#findings)
    this.#tree = new TreeReplay(this.#city, this.#findings)
    this.#dids = new DidReplay(this.#city, this.#findings, now)
    this.#anchors = new AnchorCheck(this.#city, this.#findings, ledger ?? null)
    this.#checkpoints = new CheckpointCheck(this.#city, this.#findings, options)
  }

  async run(): Promise<void> {
    const policy = await policyOf(this.#city, this.#options, this.#findings)
    this.#policy = policy
    const readNewest = () => readHead(this.#city, { trust: this.#options, policy, findings: this.#findings })
    await this.#dids.readListed()
    await this.#anchors.readLedger()
    this.#head = await readNewest()
    if (this.#head === null) return
    this.#dids.calledBy(this.#head.origin)
    this.#checkpoints.judgeBy(policy, this.#head)
    await this.#compareAt(0, emptyRoot())
    await this.#replayTo(this.#head)
    // The city goes on meanwhile: what it serves or anchors ahead of this checkpoint belongs under one of the next.
    for (let round = 1; round <= settleRounds; round++) {
      const didsAhead = await this.#dids.compareServed({
        final: round === settleRounds,
        onProgress: (done, total) => this.#options.onProgress?.({ stage: 'dids', done, total }),
      })
      if (didsAhead === 0 && !(await this.#anchors.isAheadOf(this.#tree.size))) break
      if (round === settleRounds) break
      await new Promise((resolve) => setTimeout(resolve, this.#options.settleMilliseconds ?? settleMilliseconds))
      await this.#anchors.readLedger()
      const newer = await readNewest()
      if (newer === null || this.#contradicts(newer) || newer.size === this.#tree.size) continue
      this.#head = newer
      this.#anchors.goOn(this.#tree.size)
      this.#checkpoints.judgeBy(policy, newer)
      this.#checkpoints.goOn(this.#tree.size)
      await this.#replayTo(newer)
    }
    await this.#anchors.finish(this.#tree.size)
    this.#checkpoints.finish()
  }

  report(): FsckReport {
    const { kept, more } = this.#findings
    const head = this.#head
    return {
      sound: head !== null && more === 0 && kept.every(({ severity }) => severity !== 'error'),
      origin: head?.origin ?? null,
      size: head?.size ?? 0,
      root: head === null ? null : toHex(head.root),
      cosignedBy: head?.cosignedBy ?? [],
      trust: this.#trust(),
      counts: {
        ...{ entries: this.#tree.size, opened: this.#opened, unlisted: this.#unlisted, dids: this.#dids.count },
        ...{ tiles: this.#tree.tilesRead, anchors: this.#anchors.checked },
        checkpoints: this.#checkpoints.checked,
      },
      findings: kept,
      moreFindings: more,
    }
  }

  /** A key does not say which witnesses count: without a policy of the auditor's, the log chooses them itself. */
  #trust(): FsckReport['trust'] {
    const { vkey, policy } = this.#options
    const own = this.#policy === null ? null : 'the log’s own'
    const witnesses = policy === undefined ? own : 'the auditor’s'
    return { key: vkey === undefined ? witnesses : 'the auditor’s', witnesses }
  }

  #contradicts({ size, root }: PublishedHead): boolean {
    const known = this.#head
    if (known === null || size > known.size || (size === known.size && equalBytes(root, known.root))) return false
    this.#findings.error('history-differs', `size ${size}`, `After a checkpoint of size ${known.size} came another one`)
    return true
  }

  async #replayTo(head: PublishedHead): Promise<void> {
    const openings = new Pull(readOpenings(this.#city, this.#tree.size))
    const nextStop = (size: number) => this.#nextStopAfter(size)
    let stop = await nextStop(this.#tree.size)
    for await (const entry of this.#tree.advance(head, nextStop)) {
      await this.#judgeEntry(entry, openings)
      const size = entry.index + 1
      if (size === stop) {
        await this.#compareAt(size, this.#tree.root)
        stop = await nextStop(size)
      }
      this.#options.onProgress?.({ stage: 'entries', done: size, total: head.size })
    }
    await this.#refuseUnasked(openings, head.size)
  }

  /** The smallest size beyond `size` at which something else says what the root is. */
  async #nextStopAfter(size: number): Promise<number | null> {
    const stops = [await this.#anchors.nextAfter(size), await this.#checkpoints.nextAfter(size)]
    return stops.reduce((one, other) => (one === null || (other !== null && other < one) ? other : one))
  }

  async #compareAt(size: number, root: Uint8Array | null): Promise<void> {
    await this.#anchors.compare(size, root)
    await this.#checkpoints.compare(size, root)
  }

  async #judgeEntry({ index, hash, bytes }: ReplayedEntry, openings: Pull<IndexedOpening>): Promise<void> {
    const opening = await openings.takeIf((one) => one.index === index)
    if (opening === null) {
      if (bytes === null || parseLogEntry(bytes).publicSalt === null) this.#unlisted++
      else
        this.#findings.error('opening-missing', `index ${index}`, 'The entry is public, but the city does not open it')
      return
    }
    if (!this.#opens(opening, hash)) return
    this.#opened++
    // Only entries of DIDs are public. The kind is no part of the commitment, so none is passed over for what it is called.
    if (opening.kind !== 'did')
      this.#findings.error('opening-wrong', `index ${index}`, `The city calls a public entry a ${opening.kind}`)
    this.#dids.take(opening)
  }

  /** The leaf hash decides, so an opening can be judged without its bundle, too. */
  #opens(opening: IndexedOpening, hash: Uint8Array): boolean {
    const where = `index ${opening.index}`
    try {
      const commitment = verifyOpening(opening)
      // Entries of listed DIDs from before salts stood in the log hold the commitment alone.
      const entries = [logEntry(commitment, fromBase64url(opening.salt)), logEntry(commitment)]
      if (entries.some((entry) => equalBytes(leafHash(entry), hash))) return true
      this.#findings.error('opening-wrong', where, 'It opens another entry than the log holds')
    } catch (error) {
      if (!isProblem(error)) throw error
      this.#findings.error('opening-wrong', where, error.message)
    }
    return false
  }

  /** An opening that no entry asked for: of an index before, twice, or of no entry of this tree. */
  async #refuseUnasked(openings: Pull<IndexedOpening>, size: number): Promise<void> {
    const left = await openings.takeIf(({ index }) => index < size)
    if (left !== null)
      this.#findings.error('opening-unasked', `index ${left.index}`, 'The city opens an entry that is not in its log')
  }
}
