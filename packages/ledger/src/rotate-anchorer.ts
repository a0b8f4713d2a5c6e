import type { Secp256k1Signer } from '@tillit/keys'
import { type Address, encodeFunctionData, getAddress, isAddress, isAddressEqual, zeroAddress } from 'viem'
import { anchorAbi } from './anchor-abi.ts'
import { isAnchorContract, stateOfContract } from './anchor-contract.ts'
import { misconfigured } from './choose-contract.ts'
import type { ContractMemory } from './contract-memory.ts'
import { findOwnContract } from './deploy-anchor-contract.ts'
import { accountAddress } from './evm-account.ts'
import { type ConnectOptions, connectChain, reach } from './evm-chain.ts'
import { notConfirmed } from './not-confirmed.ts'
import { isNonceUsed, mostAnchorGas, type Sender, sendTransaction, usedNonces } from './send-transaction.ts'

const patienceMs = 60_000

export interface RotateOptions extends ConnectOptions {
  /** The account that has the role. */
  readonly account: Secp256k1Signer
  /** Address of the contract; without one, the remembered or the account's own. */
  readonly contract?: string
  readonly memory?: ContractMemory
  readonly maxFeeWei?: bigint
}

/**
 * Hands the anchorer's role of a contract to another account; the old account loses it with the same block. Repeating it
 * after a crash finds the role handed on and does nothing. Throws Problem invalid-configuration when this account does not
 * have the role, or the new one is no address or could not pay for an anchor; ledger-unavailable, anchor-not-confirmed and
 * anchor-fee-too-high as anchoring does.
 */
export async function rotateAnchorer(options: RotateOptions, to: string): Promise<void> {
  const next = addressOf(to)
  const connection = await connectChain(options)
  const sender: Sender = {
    connection,
    signer: options.account,
    address: accountAddress(options.account),
    maxFeeWei: options.maxFeeWei ?? null,
    signal: new AbortController().signal,
  }
  const contract = await contractOf(sender, options)
  if (await hasRole(sender, contract, next)) return
  await requireFunds(sender, next)
  const data = encodeFunctionData({ abi: anchorAbi, functionName: 'rotateAnchorer', args: [next] })
  const nonce = await usedNonces(sender)
  await sendTransaction(sender, { to: contract, data }, nonce)
  const isMined = await isNonceUsed(sender, nonce, performance.now() + patienceMs)
  if (!isMined || !(await hasRole(sender, contract, next))) throw notConfirmed('the new anchorer')
}

async function contractOf(sender: Sender, { contract, memory }: RotateOptions): Promise<Address> {
  const { client, chain } = sender.connection
  const known = contract ?? (await memory?.recall(chain.id)) ?? (await findOwnContract(sender))
  if (known === null || !isAddress(known) || !(await isAnchorContract(client, known)))
    throw misconfigured('The anchor contract is not on this chain')
  // Before the role is handed on: the new account cannot find the contract among its own transactions.
  await memory?.remember(chain.id, getAddress(known))
  return getAddress(known)
}

/** Whether the role is handed on already; if not, it must be ours to give. */
async function hasRole({ connection: { client }, address }: Sender, contract: Address, next: Address) {
  const state = await stateOfContract(client, contract)
  if (state === null) throw misconfigured('The anchor contract is not on this chain')
  if (isAddressEqual(state.anchorer, next)) return true
  if (!isAddressEqual(state.anchorer, address)) throw misconfigured('This account does not anchor in the contract')
  return false
}

/** The role given to an account that cannot pay would stop all anchoring. */
async function requireFunds({ connection: { client, chain } }: Sender, next: Address): Promise<void> {
  const [balance, gasPrice] = await reach(() =>
    Promise.all([client.getBalance({ address: next }), client.getGasPrice()]),
  )
  if (balance < gasPrice * mostAnchorGas)
    throw misconfigured(`The account ${next} has too little ${chain.coin} to pay for an anchor`)
}

function addressOf(to: string): Address {
  if (!isAddress(to) || isAddressEqual(to, zeroAddress)) throw misconfigured('The new anchorer is not an address')
  return getAddress(to)
}
