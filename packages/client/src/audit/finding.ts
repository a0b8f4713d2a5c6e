/** What can be wrong with a city's log. Stable, for whoever acts on a report by program. */
export type FindingCode =
  | 'unreachable'
  | 'checkpoint-missing'
  | 'checkpoint-malformed'
  | 'checkpoint-not-signed'
  | 'checkpoint-not-witnessed'
  | 'checkpoint-differs'
  | 'checkpoint-not-covered'
  | 'checkpoint-list-missing'
  | 'policy-missing'
  | 'policy-malformed'
  | 'tile-missing'
  | 'tile-malformed'
  | 'tile-differs'
  | 'bundle-missing'
  | 'bundle-malformed'
  | 'bundle-differs'
  | 'leaf-not-in-tree'
  | 'root-differs'
  | 'history-differs'
  | 'opening-missing'
  | 'opening-wrong'
  | 'opening-unasked'
  | 'did-chain-broken'
  | 'did-log-missing'
  | 'did-log-malformed'
  | 'did-entry-hidden'
  | 'did-entry-differs'
  | 'did-entry-not-logged'
  | 'did-not-witnessed'
  | 'did-elsewhere'
  | 'did-list-missing'
  | 'did-not-logged'
  | 'anchor-differs'
  | 'anchor-beyond-log'
  | 'anchor-not-on-ledger'
  | 'anchor-elsewhere'
  | 'anchor-hidden'
  | 'ledger-unreadable'
  | 'list-malformed'

/** One thing that is wrong, and where. */
export interface Finding {
  /** An error contradicts what the city claims; a warning leaves open whether it does. */
  readonly severity: 'error' | 'warning'
  readonly code: FindingCode
  /** A path below the city's URL, `index 7`, `size 300` or a DID. */
  readonly where: string
  readonly what: string
}

/** Most findings that are kept word by word: a log that is wrong throughout would otherwise fill the memory. */
const maxFindings = 1000

/** Takes findings as they come. What is over the limit is counted only. */
export class Findings {
  readonly #kept: Finding[] = []
  readonly #keys = new Set<string>()
  #more = 0

  error(code: FindingCode, where: string, what: string): void {
    this.#add({ severity: 'error', code, where, what })
  }

  warning(code: FindingCode, where: string, what: string): void {
    this.#add({ severity: 'warning', code, where, what })
  }

  get kept(): readonly Finding[] {
    return this.#kept
  }

  /** How many there were beyond those kept. */
  get more(): number {
    return this.#more
  }

  #add(finding: Finding): void {
    // A part that is read twice is not wrong twice.
    const key = JSON.stringify(finding)
    if (this.#keys.has(key)) return
    if (this.#kept.length >= maxFindings) {
      this.#more++
      return
    }
    this.#keys.add(key)
    this.#kept.push(finding)
  }
}
