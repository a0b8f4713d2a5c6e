import { Problem } from '@tillit/problem'
import { type Address, BaseError, bytesToHex, ContractFunctionRevertedError, encodeFunctionData, type Hex } from 'viem'
import { anchorAbi } from './anchor-abi.ts'
import { stateOfContract } from './anchor-contract.ts'
import { reach } from './evm-chain.ts'
import type { AnchoredHead, AnchorRecord } from './ledger.ts'
import { notConfirmed } from './not-confirmed.ts'
import { anchorOfSize, anchorOfTransaction, receiptOf } from './read-anchor.ts'
import { createPause, type Sender, sendTransaction, usedNonces } from './send-transaction.ts'

/** One that was on its way already may take the first number; then ours goes under the next, and no third is tried. */
const mostTransactions = 2

export interface AnchoringOptions {
  readonly contract: Address
  readonly confirmations: number
  readonly patienceMs: number
}

/** What the newest block says. All of one block, so that number and head belong together. */
interface Moment {
  readonly block: bigint
  readonly nonce: number
  readonly held: AnchoredHead | null
}

/**
 * Anchoring keeps no memory between calls: which heads the contract holds and which numbers the account has used says all.
 * A head that is held is waited for and never sent; anything else is sent under the first unused number, where it replaces
 * what may be stuck there. So a crash, a time-out or a lost receipt at any point costs no second anchor of the same head.
 */
export function createAnchoring(sender: Sender, { contract, confirmations, patienceMs }: AnchoringOptions) {
  const { connection, signal } = sender
  const { client } = connection
  return { anchor, confirmed }

  async function anchor(head: AnchoredHead): Promise<AnchorRecord> {
    const deadline = performance.now() + patienceMs
    const pause = createPause(signal)
    const sent: { nonce: number; transaction: Hex }[] = []
    let known: AnchoredHead | null | undefined
    for (;;) {
      const moment = await now()
      if (known === undefined) known = moment.held
      const record = await advance(head, moment, { known, sent })
      if (record !== null) return record
      if (performance.now() >= deadline) throw notConfirmed(`the anchor of ${head.size} entries`)
      await pause()
    }
  }

  /** Does what the moment asks for; gives the record once the head counts. */
  async function advance(
    head: AnchoredHead,
    { block, nonce, held }: Moment,
    { known, sent }: { known: AnchoredHead | null; sent: { nonce: number; transaction: Hex }[] },
  ): Promise<AnchorRecord | null> {
    const last = sent.at(-1)
    if (isSame(held, head)) return confirmed(await recordOf(head.size, last?.transaction), block)
    // Under way.
    if (last?.nonce === nonce) return null
    if (last !== undefined) await requireNotReverted(last.transaction)
    // An earlier head that came meanwhile, or does not count yet: the caller shall see it count before the next one is sent.
    if (held !== null && !(isSame(known, held) && (await isSettled(held, block))))
      throw notConfirmed(`the anchor of ${held.size} entries`)
    if (sent.length < mostTransactions) sent.push({ nonce, transaction: await send(head, nonce) })
    return null
  }

  async function now(): Promise<Moment> {
    const block = await reach(() => client.getBlockNumber())
    const [nonce, state] = await Promise.all([usedNonces(sender, block), stateOfContract(client, contract, block)])
    if (state === null) throw new Problem('ledger-unavailable', { detail: 'The ledger lost the anchor contract' })
    return { block, nonce, held: state.latest }
  }

  async function recordOf(size: number, transaction: Hex | undefined): Promise<AnchorRecord | null> {
    const ours = transaction === undefined ? null : await anchorOfTransaction(connection, contract, transaction)
    // The transaction of an earlier call brought it: a retry after a crash, a time-out or a lost receipt.
    return ours ?? anchorOfSize(connection, contract, size, signal)
  }

  /** The record if it counts: enough blocks stand on it. */
  async function confirmed(record: AnchorRecord | null, block?: bigint): Promise<AnchorRecord | null> {
    if (record === null || confirmations <= 1) return record
    const newest = block ?? (await reach(() => client.getBlockNumber()))
    return Number(newest) - record.blockNumber + 1 >= confirmations ? record : null
  }

  /** Whether the head that is held now was held already as many blocks ago as it takes to count. */
  async function isSettled(held: AnchoredHead, block: bigint): Promise<boolean> {
    if (confirmations <= 1) return true
    const then = block - BigInt(confirmations - 1)
    const state = then < 0n ? null : await stateOfContract(client, contract, then)
    return isSame(state?.latest ?? null, held)
  }

  async function send({ root, size }: AnchoredHead, nonce: number): Promise<Hex> {
    const call = { abi: anchorAbi, functionName: 'anchor', args: [bytesToHex(root), BigInt(size)] } as const
    // Tried out first, so that a refusal is told by its reason and costs nothing.
    await reach(() =>
      client.simulateContract({ ...call, address: contract, account: sender.address }).catch(throwRefusal),
    )
    return sendTransaction(sender, { to: contract, data: encodeFunctionData(call) }, nonce)
  }

  async function requireNotReverted(transaction: Hex): Promise<void> {
    const receipt = await receiptOf(connection, transaction)
    if (receipt?.status === 'reverted') throw mismatch('the transaction was reverted')
  }
}

function isSame(held: AnchoredHead | null, { root, size }: AnchoredHead): boolean {
  return held !== null && held.size === size && bytesToHex(held.root) === bytesToHex(root)
}

function throwRefusal(error: unknown): never {
  const revert = error instanceof BaseError ? error.walk((e) => e instanceof ContractFunctionRevertedError) : null
  if (!(revert instanceof ContractFunctionRevertedError)) throw error
  const { errorName, args } = revert.data ?? {}
  if (errorName === 'LogShrank') throw mismatch(`the ledger holds a log of ${args?.[0]} entries already`)
  throw mismatch(`the contract refused it (${errorName ?? 'no reason'})`)
}

function mismatch(detail: string): Problem {
  return new Problem('anchor-mismatch', { detail: `The head was not anchored: ${detail}` })
}
