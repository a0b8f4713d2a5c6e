import { Problem } from '@tillit/problem'
import {
  AbiDecodingDataSizeTooSmallError,
  type Account,
  type Address,
  BaseError,
  type Chain,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  createWalletClient,
  getAddress,
  getContractAddress,
  type Hex,
  isAddressEqual,
  type PublicClient,
  type Transport,
} from 'viem'
import artefact from '../../../infra/contracts/TillitAnchor.json' with { type: 'json' }
import { anchorAbi } from './anchor-abi.ts'
import { reach } from './evm-chain.ts'

/** How many of the account's first transactions are searched for a contract that it deployed before. */
const searchedNonces = 32

const otherContract = [ContractFunctionRevertedError, ContractFunctionZeroDataError, AbiDecodingDataSizeTooSmallError]

export interface Deployer {
  readonly client: PublicClient
  readonly chain: Chain
  readonly transport: Transport
  readonly account: Account
}

/**
 * Gives the anchor contract of this account, deploying it when there is none. Repeating it after a crash finds the
 * contract again, because its address follows from the account and the transaction's number.
 */
export async function deployAnchorContract(deployer: Deployer): Promise<Address> {
  const { client, account } = deployer
  const nonce = await reach(() => client.getTransactionCount({ address: account.address }))
  for (let n = 0; n < Math.min(nonce, searchedNonces); n++) {
    const address = getContractAddress({ from: account.address, nonce: BigInt(n) })
    const anchorer = await anchorerOf(client, address)
    if (anchorer !== null && isAddressEqual(anchorer, account.address)) return address
  }
  return deploy(deployer)
}

/** Who may anchor in the contract at this address, or null when no anchor contract is there. */
export async function anchorerOf(client: PublicClient, address: Address): Promise<Address | null> {
  const code = await reach(() => client.getCode({ address }))
  if (code === undefined || code === '0x') return null
  return reach(() =>
    client.readContract({ address, abi: anchorAbi, functionName: 'anchorer' }).catch((error: unknown) => {
      if (isOtherContract(error)) return null
      throw error
    }),
  )
}

async function deploy({ client, chain, transport, account }: Deployer): Promise<Address> {
  return reach(async () => {
    const wallet = createWalletClient({ account, chain, transport })
    const hash = await wallet.deployContract({
      abi: anchorAbi,
      bytecode: artefact.bytecode as Hex,
      args: [account.address],
      // Exactly what the chain asks: some chains refuse any other price, and fee estimation differs between them.
      gasPrice: await client.getGasPrice(),
    })
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: 60_000 })
    if (receipt.status !== 'success' || !receipt.contractAddress) {
      throw new Problem('ledger-unavailable', { detail: 'The ledger refused to take the anchor contract' })
    }
    return getAddress(receipt.contractAddress)
  })
}

/** The code there does not have the function: it reverts, gives nothing, or something that is no address. */
function isOtherContract(error: unknown): boolean {
  const walk = error instanceof BaseError ? error.walk((e) => otherContract.some((type) => e instanceof type)) : null
  return walk !== null
}
