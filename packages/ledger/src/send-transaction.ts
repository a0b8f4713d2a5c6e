import { setTimeout as delay } from 'node:timers/promises'
import type { Secp256k1Signer } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { type Address, formatEther, type Hex, keccak256 } from 'viem'
import { signTransaction } from './evm-account.ts'
import { type EvmConnection, reach, refusalText } from './evm-chain.ts'

/** No anchor takes more gas (a test measures it); what anything else may cost is bounded through it. */
export const mostAnchorGas = 60_000n

/** Pauses while waiting for a block, growing from the first to the longest. */
const firstPauseMs = 50
const longestPauseMs = 2000

/**
 * How nodes say that a transaction with this number is in their pool or their chain already (geth, erigon, nethermind,
 * openethereum, wasp, anvil). Then ours, or one that we sent before, is under way.
 */
const underWay = /already known|alreadyknown|already imported|known transaction|replacement|nonce too low|oldnonce/
const unpaid = /insufficient (funds|balance)|insufficientfunds|notenoughfunds|not enough funds/

/** The account that sends, on its chain. */
export interface Sender {
  readonly connection: EvmConnection
  readonly signer: Secp256k1Signer
  readonly address: Address
  readonly maxFeeWei: bigint | null
  /** Aborted with a Problem when the ledger is closed. */
  readonly signal: AbortSignal
}

export interface Call {
  /** Absent: the call deploys a contract. */
  readonly to?: Address
  readonly data: Hex
}

/** How many transactions of the account the chain holds, as of a block (the newest without one). */
export function usedNonces({ connection, address }: Sender, blockNumber?: bigint): Promise<number> {
  const at = blockNumber === undefined ? {} : { blockNumber }
  return reach(() => connection.client.getTransactionCount({ address, ...at }))
}

/**
 * Sends a call under the given number and gives the hash of its transaction. The number is always the first that the chain
 * has not used, so at most one of all the transactions sent under it is ever mined: sending again replaces one that is
 * stuck, and one that is in the pool already stays. Throws Problem anchor-fee-too-high, and ledger-unavailable when the
 * account cannot pay.
 */
export async function sendTransaction(sender: Sender, call: Call, nonce: number): Promise<Hex> {
  const { connection, signer, address, maxFeeWei } = sender
  const { client, chain } = connection
  const [gasPrice, gas] = await reach(() =>
    Promise.all([client.getGasPrice(), client.estimateGas({ account: address, ...call })]).catch(takeRefusal),
  )
  requireAffordable({ gasPrice, gas, maxFeeWei, coin: chain.coin })
  // Exactly the price that the chain asks: some chains refuse any other.
  const raw = await signTransaction(signer, { ...call, chainId: chain.id, nonce, gasPrice, gas })
  sender.signal.throwIfAborted()
  // A crash from here on leaves a transaction that may still be mined; the next round finds it under its number.
  await reach(() =>
    client.sendRawTransaction({ serializedTransaction: raw }).catch((error: unknown) => {
      if (!underWay.test(refusalText(error))) takeRefusal(error)
    }),
  )
  return keccak256(raw)

  function takeRefusal(error: unknown): never {
    if (unpaid.test(refusalText(error))) throw poor(address, chain.coin)
    throw error
  }
}

/** Waits until the chain has used the number; false when it has not by the deadline (of performance.now). */
export async function isNonceUsed(sender: Sender, nonce: number, deadline: number): Promise<boolean> {
  const pause = createPause(sender.signal)
  while ((await usedNonces(sender)) <= nonce) {
    if (performance.now() >= deadline) return false
    await pause()
  }
  return true
}

/** A pause that grows each time, and ends with the signal's reason when that comes first. */
export function createPause(signal: AbortSignal): () => Promise<void> {
  let milliseconds = firstPauseMs
  return async () => {
    await delay(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted())
    milliseconds = Math.min(longestPauseMs, 2 * milliseconds)
  }
}

interface Price {
  gasPrice: bigint
  gas: bigint
  maxFeeWei: bigint | null
  coin: string
}

function requireAffordable({ gasPrice, gas, maxFeeWei, coin }: Price): void {
  // What is not an anchor takes more gas, once; it is sent at prices at which an anchor would be.
  const fee = gasPrice * (gas < mostAnchorGas ? gas : mostAnchorGas)
  if (maxFeeWei === null || fee <= maxFeeWei) return
  throw new Problem('anchor-fee-too-high', {
    detail: `An anchor costs ${formatEther(fee)} ${coin} now; no more than ${formatEther(maxFeeWei)} ${coin} may be paid`,
  })
}

function poor(address: Address, coin: string): Problem {
  return new Problem('ledger-unavailable', { detail: `The account ${address} has too little ${coin} to pay for gas` })
}
