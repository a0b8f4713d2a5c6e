import {
  type Address,
  encodeEventTopics,
  formatLog,
  type Hex,
  isAddressEqual,
  numberToHex,
  type PublicClient,
  padHex,
  parseEventLogs,
  type RpcLog,
} from 'viem'
import { anchorAbi } from './anchor-abi.ts'
import { isRefusal, reach } from './evm-chain.ts'

/** Blocks asked for at once: many public nodes refuse more than 10,000, some more than 1,000. */
const blocksPerCall = 10_000
const widestRange = 160_000
const narrowestRange = 16

/** An anchor as its event tells it. */
export interface AnchorEvent {
  readonly size: number
  readonly root: Hex
  readonly transaction: Hex
  readonly blockNumber: bigint
  readonly blockHash: Hex
}

export interface ScanOptions {
  /** Only the anchor of this size. */
  readonly size?: number
  /** How many blocks the node is asked for at first; from there on the range goes by its answers. */
  readonly blocksPerCall?: number
  readonly signal?: AbortSignal
}

const [anchoredTopic] = encodeEventTopics({ abi: anchorAbi, eventName: 'Anchored' })
const [rotatedTopic] = encodeEventTopics({ abi: anchorAbi, eventName: 'AnchorerRotated' })
const zero = padHex('0x', { size: 32 })

/**
 * Gives the anchors of a contract, the newest first, in ranges that the node takes. The contract's own first event (its
 * anchorer, handed on by nobody) says where to end, so no archive node is needed to find where it was deployed.
 */
export async function* anchorEvents(
  client: PublicClient,
  contract: Address,
  { size, signal, ...options }: ScanOptions = {},
): AsyncGenerator<AnchorEvent> {
  // No anchor has size zero, and only the first anchorer follows on nobody: one filter finds both events.
  const second = size === undefined ? null : [numberToHex(size, { size: 32 }), zero]
  const topics = [[anchoredTopic, rotatedTopic], second]
  let toBlock = Number(await reach(() => client.getBlockNumber()))
  let range = options.blocksPerCall ?? blocksPerCall
  let ceiling = widestRange
  while (toBlock >= 0) {
    signal?.throwIfAborted()
    const fromBlock = Math.max(0, toBlock - range + 1)
    const logs = await logsIn(client, { contract, topics, fromBlock, toBlock }, range > narrowestRange)
    if (logs === 'range refused') {
      range = ceiling = Math.max(narrowestRange, Math.floor(range / 2))
      continue
    }
    const events = eventsOf(logs, contract)
    for (const { anchor } of events.toReversed()) if (anchor !== null && isWanted(anchor, size)) yield anchor
    if (events.some(({ first }) => first)) return
    toBlock = fromBlock - 1
    range = Math.min(ceiling, 2 * range)
  }
}

function isWanted(anchor: AnchorEvent, size: number | undefined): boolean {
  return size === undefined || anchor.size === size
}

interface Filter {
  contract: Address
  topics: unknown[]
  fromBlock: number
  toBlock: number
}

function logsIn(
  client: PublicClient,
  { contract, topics, fromBlock, toBlock }: Filter,
  mayBeNarrower: boolean,
): Promise<RpcLog[] | 'range refused'> {
  const filter = { address: contract, topics, fromBlock: numberToHex(fromBlock), toBlock: numberToHex(toBlock) }
  return reach(async () => {
    try {
      return await client.request({ method: 'eth_getLogs', params: [filter as never] })
    } catch (error) {
      if (mayBeNarrower && isRefusal(error)) return 'range refused' as const
      throw error
    }
  })
}

/** Only events of the contract count, whatever the node gave. */
function eventsOf(logs: RpcLog[], contract: Address): { anchor: AnchorEvent | null; first: boolean }[] {
  const parsed = parseEventLogs({ abi: anchorAbi, logs: logs.map((log) => formatLog(log)) })
  return parsed
    .filter((log) => isAddressEqual(log.address, contract) && !log.removed)
    .map((log) => {
      if (log.eventName === 'AnchorerRotated') return { anchor: null, first: BigInt(log.args.from) === 0n }
      return { anchor: anchorOf(log.args, log), first: false }
    })
}

export function anchorOf(
  args: { size: bigint; root: Hex },
  log: { transactionHash: Hex | null; blockNumber: bigint | null; blockHash: Hex | null },
): AnchorEvent | null {
  const { transactionHash: transaction, blockNumber, blockHash } = log
  if (transaction === null || blockNumber === null || blockHash === null) return null
  return { size: Number(args.size), root: args.root, transaction, blockNumber, blockHash }
}
