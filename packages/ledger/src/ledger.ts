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
}

/**
 * Where the heads of the log are made undeniable. Every method throws Problem ledger-unavailable when the ledger does not
 * answer in time; nothing is lost then, and the call can be repeated.
 */
export interface Ledger {
  readonly kind: 'evm'
  readonly chainId: number
  readonly rpcUrl: string
  /** Address of the contract. Changes when the ledger came back empty and the contract was put there anew. */
  readonly contract: string
  /**
   * Anchors a head and waits for its block. The same head again gives the record of the first time. Throws Problem
   * anchor-mismatch when the ledger holds a larger log, or another root at this size.
   */
  anchor(root: Uint8Array, size: number): Promise<AnchorRecord>
  /** The largest head that the ledger holds, or null before the first. */
  latest(): Promise<AnchoredHead | null>
  /** The anchor of exactly this size, or null. Searches the whole chain; some public nodes refuse that. */
  find(size: number): Promise<AnchorRecord | null>
  /** The anchor that a transaction brought, or null when the ledger does not hold it (any more). */
  confirm(transaction: string): Promise<AnchorRecord | null>
  /** Ends calls that are under way with Problem ledger-unavailable. */
  close(): Promise<void>
}
