import { Problem } from '@tillit/problem'
import { type Address, encodeDeployData, getContractAddress, type Hex, isAddressEqual } from 'viem'
import artefact from '../../../infra/contracts/TillitAnchor.json' with { type: 'json' }
import { anchorAbi } from './anchor-abi.ts'
import { isAnchorContract, stateOfContract } from './anchor-contract.ts'
import { notConfirmed } from './not-confirmed.ts'
import { isNonceUsed, type Sender, sendTransaction, usedNonces } from './send-transaction.ts'

/** How many of the account's first and last transactions are searched for a contract that it deployed before. */
const searchedNonces = 32
/** A first transaction under the number may have been another one that was on its way; the second is ours. */
const attempts = 2

/** The anchor contract that this account deployed and in which one of the anchorers (itself without any) has the role, or null. */
export async function findOwnContract(
  sender: Sender,
  anchorers: readonly Address[] = [sender.address],
): Promise<Address | null> {
  const used = await usedNonces(sender)
  for (let nonce = 0; nonce < used; nonce++) {
    if (nonce >= searchedNonces && nonce < used - searchedNonces) continue
    const address = addressOfDeployment(sender, nonce)
    if (await isContractOf(sender, address, anchorers)) return address
  }
  return null
}

/**
 * Deploys the anchor contract. Repeating it after a crash finds the contract again with findOwnContract, because its address
 * follows from the account and the transaction's number.
 */
export async function deployAnchorContract(sender: Sender, deadline: number): Promise<Address> {
  const data = encodeDeployData({ abi: anchorAbi, bytecode: artefact.bytecode as Hex, args: [sender.address] })
  for (let attempt = 0; attempt < attempts; attempt++) {
    const nonce = await usedNonces(sender)
    await sendTransaction(sender, { data }, nonce)
    if (!(await isNonceUsed(sender, nonce, deadline))) throw notConfirmed('the anchor contract')
    const address = addressOfDeployment(sender, nonce)
    if (await isContractOf(sender, address, [sender.address])) return address
  }
  throw new Problem('ledger-unavailable', { detail: 'The ledger refused to take the anchor contract' })
}

function addressOfDeployment({ address }: Sender, nonce: number): Address {
  return getContractAddress({ from: address, nonce: BigInt(nonce) })
}

async function isContractOf(
  { connection: { client } }: Sender,
  contract: Address,
  anchorers: readonly Address[],
): Promise<boolean> {
  if (!(await isAnchorContract(client, contract))) return false
  const state = await stateOfContract(client, contract)
  return state !== null && anchorers.some((address) => isAddressEqual(state.anchorer, address))
}
