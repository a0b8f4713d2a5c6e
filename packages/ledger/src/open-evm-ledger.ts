import { Problem } from '@tillit/problem'
import {
  type Address,
  BaseError,
  bytesToHex,
  ContractFunctionRevertedError,
  createWalletClient,
  getAddress,
  type Hex,
  hexToBytes,
  isAddress,
  isAddressEqual,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { anchorAbi } from './anchor-abi.ts'
import { anchorerOf, type Deployer, deployAnchorContract } from './deploy-anchor-contract.ts'
import { connectChain, reach } from './evm-chain.ts'
import type { AnchoredHead, AnchorRecord, Ledger } from './ledger.ts'
import { anchorOfSize, anchorOfTransaction } from './read-anchor.ts'

/** How long a transaction may wait for its block. */
const blockTimeoutMs = 60_000

export interface EvmLedgerOptions {
  readonly rpcUrl: string
  /** The anchorer's private key, 0x and 64 hexadecimal digits; its account pays the gas. */
  readonly privateKey: string
  /** Address of the contract; without one, the account's own is looked for and deployed if need be. */
  readonly contract?: string
  readonly timeoutMs?: number
}

/**
 * Opens an EVM chain as the ledger. Throws Problem ledger-unavailable when the chain does not answer, and
 * invalid-configuration for a key that is none or a contract that does not take this key as its anchorer.
 */
export async function openEvmLedger(options: EvmLedgerOptions): Promise<Ledger> {
  const account = accountOf(options.privateKey)
  const configured = options.contract === undefined ? null : addressOf(options.contract)
  const { chain, transport, client } = await connectChain(options.rpcUrl, options)
  const deployer: Deployer = { chain, transport, client, account }
  let contract = configured ?? (await deployAnchorContract(deployer))
  await requireContract()
  const closing = Promise.withResolvers<never>()
  // Closing with no call under way is no unhandled rejection.
  closing.promise.catch(() => undefined)

  return {
    kind: 'evm',
    chainId: chain.id,
    rpcUrl: options.rpcUrl,
    get contract() {
      return contract
    },
    anchor: (root, size) => untilClosed(anchor(root, size)),
    latest: () => untilClosed(latest()),
    find: (size) => untilClosed(requireContract().then(() => anchorOfSize(client, contract, chain.id, size))),
    confirm: (transaction) => untilClosed(anchorOfTransaction(client, contract, chain.id, transaction)),
    close: () => {
      closing.reject(new Problem('ledger-unavailable', { detail: 'The ledger was closed' }))
      return Promise.resolve()
    },
  }

  function untilClosed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, closing.promise])
  }

  /** A development chain may come back empty; then our own contract is put there again, a configured one is missed. */
  async function requireContract(): Promise<void> {
    const anchorer = await anchorerOf(client, contract)
    if (anchorer === null && configured === null) contract = await deployAnchorContract(deployer)
    else if (anchorer === null) throw misconfigured('The anchor contract is not on this chain')
    else if (!isAddressEqual(anchorer, account.address)) throw misconfigured('Another account anchors in the contract')
  }

  async function latest(): Promise<AnchoredHead | null> {
    await requireContract()
    const [size, root] = await reach(() =>
      client.readContract({ address: contract, abi: anchorAbi, functionName: 'latest' }),
    )
    return size === 0n ? null : { size: Number(size), root: hexToBytes(root) }
  }

  async function anchor(root: Uint8Array, size: number): Promise<AnchorRecord> {
    const held = await latest()
    const same = held !== null && held.size === size && bytesToHex(held.root) === bytesToHex(root)
    // A retry after a crash between the block and our record of it: the first transaction is the anchor.
    const record = same ? await anchorOfSize(client, contract, chain.id, size) : await send(root, size)
    if (record === null) throw new Problem('ledger-unavailable', { detail: 'The ledger does not give its own event' })
    return record
  }

  async function send(root: Uint8Array, size: number): Promise<AnchorRecord | null> {
    const hash = await reach(() => write(root, size).catch(refusal))
    const receipt = await reach(() => client.waitForTransactionReceipt({ hash, timeout: blockTimeoutMs }))
    if (receipt.status !== 'success') throw mismatch('the transaction was reverted')
    return anchorOfTransaction(client, contract, chain.id, hash)
  }

  async function write(root: Uint8Array, size: number): Promise<Hex> {
    const call = {
      address: contract,
      abi: anchorAbi,
      functionName: 'anchor',
      args: [bytesToHex(root), BigInt(size)],
    } as const
    const gasPrice = await client.getGasPrice()
    // Simulated first, so that a refusal is told by its reason and costs nothing.
    await client.simulateContract({ ...call, account })
    return createWalletClient({ account, chain, transport }).writeContract({ ...call, gasPrice })
  }
}

function refusal(error: unknown): never {
  const revert = error instanceof BaseError ? error.walk((e) => e instanceof ContractFunctionRevertedError) : null
  if (!(revert instanceof ContractFunctionRevertedError)) throw error
  const { errorName, args } = revert.data ?? {}
  if (errorName === 'LogShrank') throw mismatch(`the ledger holds a log of ${args?.[0]} entries already`, error)
  throw mismatch(`the contract refused it (${errorName ?? 'no reason'})`, error)
}

function mismatch(detail: string, cause?: unknown): Problem {
  return new Problem('anchor-mismatch', { detail: `The head was not anchored: ${detail}`, cause })
}

function misconfigured(detail: string): Problem {
  return new Problem('invalid-configuration', { detail })
}

function accountOf(privateKey: string) {
  try {
    return privateKeyToAccount(privateKey as Hex)
  } catch {
    // The cause is left out on purpose: it may hold the key.
    throw misconfigured('The anchorer key is not 0x and 64 hexadecimal digits')
  }
}

function addressOf(contract: string): Address {
  if (!isAddress(contract)) throw misconfigured('The anchor contract is not an address')
  return getAddress(contract)
}
