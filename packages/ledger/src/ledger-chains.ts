/** An EVM chain as a ledger. */
export interface LedgerChain {
  readonly id: number
  /** For people: `IOTA EVM`. */
  readonly title: string
  /** Symbol of the coin that pays for gas; all of them have 18 decimals. */
  readonly coin: string
  /** A public node; null for a chain that only its operator knows. */
  readonly rpcUrl: string | null
  /** Base URL of a block explorer. */
  readonly explorer: string | null
  /** How many blocks, the anchor's own counted, an anchor waits for before it counts. */
  readonly confirmations: number
}

/**
 * The chains that an operator can name. Ids, nodes and explorers as in docs.iota.org ("Networks & Chains") and
 * ethereum-lists/chains.
 */
export const ledgerChains = {
  // Makes a block when there is something to put into it, so waiting for a second one might wait for ever.
  'iota-evm': {
    id: 8822,
    title: 'IOTA EVM',
    coin: 'IOTA',
    rpcUrl: 'https://json-rpc.evm.iotaledger.net',
    explorer: 'https://explorer.evm.iota.org',
    confirmations: 1,
  },
  'iota-evm-testnet': {
    id: 1076,
    title: 'IOTA EVM Testnet',
    coin: 'IOTA',
    rpcUrl: 'https://json-rpc.evm.testnet.iota.cafe',
    explorer: 'https://explorer.evm.testnet.iota.cafe',
    confirmations: 1,
  },
  // Validators take turns, one block in five seconds: a minute's worth of them has sealed an anchor that counts.
  'energy-web': {
    id: 246,
    title: 'Energy Web Chain',
    coin: 'EWT',
    rpcUrl: 'https://rpc.energyweb.org',
    explorer: 'https://explorer.energyweb.org',
    confirmations: 12,
  },
  'energy-web-volta': {
    id: 73799,
    title: 'Energy Web Volta Testnet',
    coin: 'VT',
    rpcUrl: 'https://volta-rpc.energyweb.org',
    explorer: 'https://volta-explorer.energyweb.org',
    confirmations: 12,
  },
} as const satisfies Record<string, LedgerChain>

export type LedgerChainName = keyof typeof ledgerChains

/** What we know of the chain with this id; of any other, that it is one. */
export function chainOfId(id: number): LedgerChain {
  const known = Object.values(ledgerChains).find((chain) => chain.id === id)
  return known ?? { id, title: `private chain ${id}`, coin: 'coin', rpcUrl: null, explorer: null, confirmations: 1 }
}

/** Where a person can look at a transaction (EIP-3091), or null where the chain has no explorer that we know. */
export function explorerUrlOf(chainId: number, transaction: string): string | null {
  const { explorer } = chainOfId(chainId)
  return explorer === null ? null : `${explorer}/tx/${transaction}`
}
