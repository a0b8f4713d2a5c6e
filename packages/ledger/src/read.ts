// The reading side alone, for browsers and for whoever verifies: no accounts, no files, no processes.

/** An amount in the smallest unit of a chain's coin as a decimal number of coins. */
export { formatEther as formatCoins } from 'viem'
export type { AnchorCost, AnchoredHead, AnchorRecord } from './ledger.ts'
export { chainOfId, explorerUrlOf, type LedgerChain, type LedgerChainName, ledgerChains } from './ledger-chains.ts'
export { type ReadAnchorOptions, type ReadOptions, readAnchor } from './read-anchor.ts'
export { type AnchorContract, readAnchorContract } from './read-anchor-contract.ts'
export { type LedgerAnchor, type ReadAnchorsOptions, readAnchors } from './read-anchors.ts'
