import type { Secp256k1Signer } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { type Address, getAddress, isAddress } from 'viem'
import { isAnchorContract } from './anchor-contract.ts'
import type { ContractMemory } from './contract-memory.ts'
import { deployAnchorContract, findOwnContract } from './deploy-anchor-contract.ts'
import { accountAddress } from './evm-account.ts'
import type { Sender } from './send-transaction.ts'

export interface ContractChoice {
  /** The contract that the operator names. */
  readonly contract: string | undefined
  readonly memory: ContractMemory | undefined
  /** The account that anchors and those that did before it. */
  readonly accounts: readonly Secp256k1Signer[]
  /** How long a deployment may wait for its block. */
  readonly patienceMs: number
}

/**
 * The contract to anchor in: the one that the operator names, else the one that is remembered, else the account's own,
 * deployed if need be. Throws Problem invalid-configuration when the named or the remembered one is not on the chain.
 */
export async function chooseContract(sender: Sender, choice: ContractChoice): Promise<Address> {
  const { chain, client } = sender.connection
  const remembered = choice.contract === undefined ? await choice.memory?.recall(chain.id) : null
  const known = choice.contract ?? remembered ?? null
  if (known === null) return ownContract(sender, choice)
  const address = addressOf(known)
  if (await isAnchorContract(client, address)) return address
  if (mayBeMadeAnew(sender, choice)) return ownContract(sender, choice)
  throw misconfigured(`The anchor contract ${address} is not on this chain`)
}

/** Of a private chain that came back empty. On a named chain a node that lags or lies must not make us start another one. */
export function mayBeMadeAnew({ connection: { chain } }: Sender, { contract }: ContractChoice): boolean {
  return contract === undefined && chain.rpcUrl === null
}

/** The contract of one of the accounts, deployed when there is none. */
export async function ownContract(sender: Sender, choice: ContractChoice): Promise<Address> {
  const address = (await findOwn(sender, choice)) ?? (await deployed(sender, choice))
  // A crash before this line leaves a contract that is found among the account's last transactions.
  await choice.memory?.remember(sender.connection.chain.id, address)
  return address
}

async function findOwn(sender: Sender, { accounts }: ContractChoice): Promise<Address | null> {
  const addresses = accounts.map(accountAddress)
  for (const address of addresses) {
    const found = await findOwnContract({ ...sender, address }, addresses)
    if (found !== null) return found
  }
  return null
}

function deployed(sender: Sender, { patienceMs }: ContractChoice): Promise<Address> {
  return deployAnchorContract(sender, performance.now() + patienceMs)
}

function addressOf(contract: string): Address {
  if (!isAddress(contract)) throw misconfigured('The anchor contract is not an address')
  return getAddress(contract)
}

export function misconfigured(detail: string): Problem {
  return new Problem('invalid-configuration', { detail })
}
