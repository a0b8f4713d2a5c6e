import type { Secp256k1Signer } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import { type Address, isAddressEqual } from 'viem'
import { stateOfContract } from './anchor-contract.ts'
import { accountAddress } from './evm-account.ts'
import { type RotateOptions, rotateAnchorer } from './rotate-anchorer.ts'
import type { Sender } from './send-transaction.ts'

/**
 * Gives the account that anchors in the contract from now on. When one of the former accounts still has the role, it hands
 * it on to the active one; as long as that one could not pay for an anchor, the former goes on. A crash in between leaves
 * the role with either, and the next opening goes by what the contract says.
 */
export async function takeOverRole(
  { connection, signer, address, maxFeeWei }: Sender,
  contract: Address,
  { former, ...options }: Pick<RotateOptions, 'chain' | 'timeoutMs'> & { former: readonly Secp256k1Signer[] },
): Promise<Secp256k1Signer> {
  if (former.length === 0) return signer
  const state = await stateOfContract(connection.client, contract)
  const holder = former.find((account) => state !== null && isAddressEqual(accountAddress(account), state.anchorer))
  if (holder === undefined) return signer
  const fee = maxFeeWei === null ? {} : { maxFeeWei }
  try {
    await rotateAnchorer({ ...options, ...fee, rpcUrl: connection.rpcUrl, account: holder, contract }, address)
    return signer
  } catch (error) {
    if (isProblem(error, 'invalid-configuration') || isProblem(error, 'anchor-fee-too-high')) return holder
    throw error
  }
}
