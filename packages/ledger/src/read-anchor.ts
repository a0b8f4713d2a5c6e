import { Problem } from '@tillit/problem'
import {
  type Address,
  getAddress,
  type Hex,
  hexToBytes,
  isAddress,
  isAddressEqual,
  isHex,
  type Log,
  type PublicClient,
  parseEventLogs,
  TransactionReceiptNotFoundError,
} from 'viem'
import { anchorAbi } from './anchor-abi.ts'
import { connectChain, reach } from './evm-chain.ts'
import type { AnchorRecord } from './ledger.ts'

export interface ReadAnchorOptions {
  readonly rpcUrl: string
  /** The contract that the reader trusts for this log. */
  readonly contract: string
  /** Which anchor: the transaction that is said to have brought it, or the size of the log. */
  readonly anchor: { readonly transaction: string } | { readonly size: number }
  readonly timeoutMs?: number
}

/**
 * Reads an anchor from the ledger itself, for whoever verifies a receipt: compare its size and root with those of the
 * receipt's checkpoint. Only an event of the given contract counts, whatever else the transaction did. Throws Problem
 * ledger-unavailable, and anchor-mismatch when the ledger holds no such anchor.
 */
export async function readAnchor(options: ReadAnchorOptions): Promise<AnchorRecord> {
  if (!isAddress(options.contract)) throw new Problem('anchor-mismatch', { detail: 'The contract is not an address' })
  const { client, chain } = await connectChain(options.rpcUrl, options)
  const contract = getAddress(options.contract)
  const { anchor } = options
  const record =
    'transaction' in anchor
      ? await anchorOfTransaction(client, contract, chain.id, anchor.transaction)
      : await anchorOfSize(client, contract, chain.id, anchor.size)
  if (record === null)
    throw new Problem('anchor-mismatch', { detail: 'The ledger holds no such anchor of this contract' })
  return record
}

export async function anchorOfTransaction(
  client: PublicClient,
  contract: Address,
  chainId: number,
  transaction: string,
): Promise<AnchorRecord | null> {
  if (!isHex(transaction) || transaction.length !== 66) return null
  const receipt = await reach(() =>
    client.getTransactionReceipt({ hash: transaction }).catch((error: unknown) => {
      if (error instanceof TransactionReceiptNotFoundError) return null
      throw error
    }),
  )
  if (receipt === null || receipt.status !== 'success') return null
  return recordOf(client, contract, chainId, receipt.logs)
}

export async function anchorOfSize(
  client: PublicClient,
  contract: Address,
  chainId: number,
  size: number,
): Promise<AnchorRecord | null> {
  const logs = await reach(() =>
    client.getContractEvents({
      address: contract,
      abi: anchorAbi,
      eventName: 'Anchored',
      args: { size: BigInt(size) },
      fromBlock: 0n,
    }),
  )
  return recordOf(client, contract, chainId, logs)
}

async function recordOf(
  client: PublicClient,
  contract: Address,
  chainId: number,
  logs: Log[],
): Promise<AnchorRecord | null> {
  const [event] = parseEventLogs({ abi: anchorAbi, eventName: 'Anchored', logs }).filter((log) =>
    isAddressEqual(log.address, contract),
  )
  if (event === undefined || event.blockNumber === null || event.transactionHash === null) return null
  const { blockNumber, transactionHash, args } = event
  const block = await reach(() => client.getBlock({ blockNumber }))
  return {
    chainId,
    contract,
    size: Number(args.size),
    root: hexToBytes(args.root),
    transaction: transactionHash satisfies Hex,
    blockNumber: Number(blockNumber),
    anchoredAt: new Date(Number(block.timestamp) * 1000),
  }
}
