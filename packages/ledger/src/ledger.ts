/** A head of the log as the ledger holds it. `root` is 32 bytes. */
export interface AnchoredHead {
  readonly size: number
  readonly root: Uint8Array
}

/** An anchored head and the transaction that brought it. */
export interface AnchorRecord extends AnchoredHead {
  readonly chainId: number
  /** Address of the contract, 0x and 40 hexadecimal digits. */
  readonly contract: string
  /** Hash of the transaction, 0x and 64 hexadecimal digits. */
  readonly transaction: string
  readonly blockNumber: number
  /** Time of the block. */
  readonly anchoredAt: Date
  /** What the transaction took, when the ledger was asked: gas, and the fee in the smallest unit of the coin (10^-18). */
  readonly cost?: AnchorCost
}

export interface AnchorCost {
  readonly gasUsed: number
  readonly feeWei: bigint
}

/**
 * Where the heads of the log are made undeniable. Every method throws Problem ledger-unavailable when the ledger does not
 * answer in time; nothing is lost then, and the call can be repeated.
 */
export interface Ledger {
  readonly kind: 'evm'
  readonly chainId: number
  /** For people: `IOTA EVM`, `private chain 31337`. */
  readonly chainName: string
  /** Symbol of the coin that pays. */
  readonly coin: string
  readonly rpcUrl: string
  /** Address of the contract. Changes when the ledger came back empty and the contract was put there anew. */
  readonly contract: string
  /** Address of the account that anchors. Changes when a former one hands its role on. */
  readonly anchorer: string
  /** How many blocks, the anchor's own counted, an anchor waits for before it counts. */
  readonly confirmations: number
  /** The most that one anchor may cost, in the smallest unit of the coin; null: any price. */
  readonly maxFeeWei: bigint | null
  /**
   * Anchors a head and gives its record once it counts: after `confirmations` blocks. The same head again gives the record
   * of the first time. Throws Problem anchor-mismatch when the ledger holds a larger log, or another root at this size;
   * anchor-not-confirmed when its block or the confirmations take longer than a call should; anchor-fee-too-high when it
   * would cost more than `maxFeeWei`. After these two the call can be repeated, with this head or a larger one: it goes on
   * where it was and never pays twice for one head.
   */
  anchor(root: Uint8Array, size: number): Promise<AnchorRecord>
  /** The largest head in the newest block, confirmed or not; null before the first. */
  latest(): Promise<AnchoredHead | null>
  /** The anchor of exactly this size once it counts, or null. Looks from the newest block back to the contract's first. */
  find(size: number): Promise<AnchorRecord | null>
  /** The anchor that a transaction brought, or null when the ledger does not hold it (any more: it was reorganised). */
  confirm(transaction: string): Promise<AnchorRecord | null>
  /** Where a person can look at a transaction, or null. */
  explorerUrl(transaction: string): string | null
  /** Ends calls that are under way with Problem ledger-unavailable. */
  close(): Promise<void>
}
