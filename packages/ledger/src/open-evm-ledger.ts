import type { Secp256k1Signer } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { isAddressEqual } from 'viem'
import { stateOfContract } from './anchor-contract.ts'
import { createAnchoring } from './anchor-head.ts'
import { type ContractChoice, chooseContract, mayBeMadeAnew, misconfigured, ownContract } from './choose-contract.ts'
import type { ContractMemory } from './contract-memory.ts'
import { accountAddress } from './evm-account.ts'
import { connectChain } from './evm-chain.ts'
import type { Ledger } from './ledger.ts'
import { explorerUrlOf, type LedgerChainName } from './ledger-chains.ts'
import { anchorOfSize, anchorOfTransaction } from './read-anchor.ts'
import type { Sender } from './send-transaction.ts'
import { takeOverRole } from './take-over-role.ts'

/** How long a call waits for its block, and for each further block that confirms it. */
const blockPatienceMs = 60_000
const confirmationPatienceMs = 15_000

export interface EvmLedgerOptions {
  /** The node; without one, the public node of the named chain. */
  readonly rpcUrl?: string
  /** The account that anchors and pays the gas. */
  readonly account: Secp256k1Signer
  /** Accounts that anchored before it. One that still has the role hands it on, once the new one can pay. */
  readonly formerAccounts?: readonly Secp256k1Signer[]
  /** The chain that the node must serve; without one, whichever it serves. */
  readonly chain?: LedgerChainName
  /** How many blocks, the anchor's own counted, an anchor waits for; without it, what suits the chain. */
  readonly confirmations?: number
  /** The most that one anchor may cost, in the smallest unit of the coin; any price without. */
  readonly maxFeeWei?: bigint
  /** Address of the contract; without one, the remembered or the account's own, deployed if need be. */
  readonly contract?: string
  readonly memory?: ContractMemory
  /** How long one call to the node may take. */
  readonly timeoutMs?: number
  /** How long anchoring waits for blocks before it gives the caller's turn back. */
  readonly patienceMs?: number
  /** Gives the opening up; an open ledger is closed by it. */
  readonly signal?: AbortSignal
}

/**
 * Opens an EVM chain as the ledger. Throws Problem ledger-unavailable when the chain does not answer, and
 * invalid-configuration for a node of another chain, or a contract that is none or does not take this account.
 */
export async function openEvmLedger(options: EvmLedgerOptions): Promise<Ledger> {
  const connection = await connectChain(options)
  const { chain, client } = connection
  const closing = new AbortController()
  options.signal?.throwIfAborted()
  options.signal?.addEventListener('abort', () => closing.abort(options.signal?.reason), { once: true })
  const former = options.formerAccounts ?? []
  const confirmations = options.confirmations ?? chain.confirmations
  const patienceMs = options.patienceMs ?? blockPatienceMs + (confirmations - 1) * confirmationPatienceMs
  const choice: ContractChoice = {
    contract: options.contract,
    memory: options.memory,
    accounts: [options.account, ...former],
    patienceMs,
  }
  const senderOf = (signer: Secp256k1Signer): Sender => ({
    connection,
    signer,
    address: accountAddress(signer),
    maxFeeWei: options.maxFeeWei ?? null,
    signal: closing.signal,
  })
  let sender = senderOf(options.account)
  let contract = await chooseContract(sender, choice)
  await requireRole()
  await requireContract()

  return {
    kind: 'evm',
    chainId: chain.id,
    chainName: chain.title,
    coin: chain.coin,
    rpcUrl: connection.rpcUrl,
    get contract() {
      return contract
    },
    get anchorer() {
      return sender.address
    },
    confirmations,
    maxFeeWei: sender.maxFeeWei,
    anchor: (root, size) =>
      untilClosed(async () => {
        if (sender.signer !== options.account) await requireRole()
        await requireContract()
        return anchoring().anchor({ root, size })
      }),
    latest: () => untilClosed(requireContract),
    find: (size) =>
      untilClosed(async () => {
        await requireContract()
        return anchoring().confirmed(await anchorOfSize(connection, contract, size, closing.signal))
      }),
    confirm: (transaction) => untilClosed(() => anchorOfTransaction(connection, contract, transaction)),
    explorerUrl: (transaction) => explorerUrlOf(chain.id, transaction),
    close: async () => closing.abort(new Problem('ledger-unavailable', { detail: 'The ledger was closed' })),
  }

  function anchoring() {
    return createAnchoring(sender, { contract, confirmations, patienceMs })
  }

  /** A former account anchors only as long as the new one cannot pay. */
  async function requireRole() {
    sender = senderOf(await takeOverRole(senderOf(options.account), contract, { ...options, former }))
  }

  async function untilClosed<T>(work: () => Promise<T>): Promise<T> {
    const { promise: closed, reject } = Promise.withResolvers<never>()
    const end = () => reject(closing.signal.reason)
    closing.signal.throwIfAborted()
    closing.signal.addEventListener('abort', end, { once: true })
    try {
      return await Promise.race([work(), closed])
    } finally {
      closing.signal.removeEventListener('abort', end)
    }
  }

  /** The largest head. A private chain may come back empty: then our own contract is put there again. */
  async function requireContract() {
    const state = await stateOfContract(client, contract)
    if (state === null) {
      if (!mayBeMadeAnew(sender, choice)) throw misconfigured('The anchor contract is not on this chain')
      contract = await ownContract(sender, choice)
      return null
    }
    if (!isAddressEqual(state.anchorer, sender.address)) throw misconfigured('Another account anchors in the contract')
    return state.latest
  }
}
