import { Problem } from '@tillit/problem'
import {
  type Address,
  getAddress,
  hexToBytes,
  isAddress,
  isAddressEqual,
  isHex,
  parseEventLogs,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
} from 'viem'
import { anchorAbi } from './anchor-abi.ts'
import { isAnchorContract } from './anchor-contract.ts'
import { type ConnectOptions, connectChain, type EvmConnection, reach } from './evm-chain.ts'
import type { AnchorCost, AnchorRecord } from './ledger.ts'
import { type AnchorEvent, anchorEvents, anchorOf } from './scan-events.ts'

export interface ReadOptions extends ConnectOptions {
  /** The contract that the reader trusts for this log. */
  readonly contract: string
}

export interface ReadAnchorOptions extends ReadOptions {
  /** Which anchor: the transaction that is said to have brought it, or the size of the log. */
  readonly anchor: { readonly transaction: string } | { readonly size: number }
}

/**
 * Reads an anchor from the ledger itself, for whoever verifies a receipt: compare its size and root with those of the
 * receipt's checkpoint. Only an event of the given contract counts, whatever else the transaction did. Throws Problem
 * ledger-unavailable, and anchor-mismatch when the ledger holds no such anchor or the contract is not the anchor contract.
 */
export async function readAnchor(options: ReadAnchorOptions): Promise<AnchorRecord> {
  const { connection, contract } = await openForReading(options)
  const { anchor } = options
  const record =
    'transaction' in anchor
      ? await anchorOfTransaction(connection, contract, anchor.transaction)
      : await anchorOfSize(connection, contract, anchor.size)
  if (record === null)
    throw new Problem('anchor-mismatch', { detail: 'The ledger holds no such anchor of this contract' })
  return record
}

/** Connects, and makes sure that what is at the address cannot but keep its word: it is our contract's code. */
export async function openForReading(options: ReadOptions): Promise<{ connection: EvmConnection; contract: Address }> {
  if (!isAddress(options.contract)) throw new Problem('anchor-mismatch', { detail: 'The contract is not an address' })
  const contract = getAddress(options.contract)
  const connection = await connectChain(options)
  if (!(await isAnchorContract(connection.client, contract)))
    throw new Problem('anchor-mismatch', { detail: 'What the ledger has at this address is not the anchor contract' })
  return { connection, contract }
}

export async function anchorOfTransaction(
  connection: EvmConnection,
  contract: Address,
  transaction: string,
): Promise<AnchorRecord | null> {
  const receipt = await receiptOf(connection, transaction)
  if (receipt === null || receipt.status !== 'success') return null
  const [log] = parseEventLogs({ abi: anchorAbi, eventName: 'Anchored', logs: receipt.logs }).filter(({ address }) =>
    isAddressEqual(address, contract),
  )
  const event = log === undefined ? null : anchorOf(log.args, log)
  return event === null ? null : recordOf(connection, contract, event, receipt)
}

export async function anchorOfSize(
  connection: EvmConnection,
  contract: Address,
  size: number,
  signal?: AbortSignal,
): Promise<AnchorRecord | null> {
  const options = signal === undefined ? { size } : { size, signal }
  for await (const event of anchorEvents(connection.client, contract, options)) {
    const receipt = await receiptOf(connection, event.transaction)
    return receipt === null ? null : recordOf(connection, contract, event, receipt)
  }
  return null
}

export async function receiptOf({ client }: EvmConnection, transaction: string): Promise<TransactionReceipt | null> {
  if (!isHex(transaction) || transaction.length !== 66) return null
  return reach(() =>
    client.getTransactionReceipt({ hash: transaction }).catch((error: unknown) => {
      if (error instanceof TransactionReceiptNotFoundError) return null
      throw error
    }),
  )
}

/** Null when the block is not part of the chain any more: it was reorganised while we read. */
async function recordOf(
  { client, chain }: EvmConnection,
  contract: Address,
  { blockNumber, blockHash, size, root, transaction }: AnchorEvent,
  receipt: TransactionReceipt,
): Promise<AnchorRecord | null> {
  const block = await reach(() => client.getBlock({ blockNumber }))
  if (block.hash !== blockHash) return null
  const cost = costOf(receipt)
  return {
    chainId: chain.id,
    contract,
    size,
    root: hexToBytes(root),
    transaction,
    blockNumber: Number(blockNumber),
    anchoredAt: new Date(Number(block.timestamp) * 1000),
    ...(cost === null ? {} : { cost }),
  }
}

function costOf({ gasUsed, effectiveGasPrice }: TransactionReceipt): AnchorCost | null {
  // Not every chain tells the price in its receipts.
  if (typeof effectiveGasPrice !== 'bigint') return null
  return { gasUsed: Number(gasUsed), feeWei: gasUsed * effectiveGasPrice }
}
