import {
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  getAddress,
  hexToBytes,
  keccak256,
  type PublicClient,
} from 'viem'
import { anchorAbi } from './anchor-abi.ts'
import { reach } from './evm-chain.ts'
import type { AnchoredHead } from './ledger.ts'

/**
 * Keccak-256 of the code of infra/contracts/TillitAnchor.sol as it stands on a chain (a test compares the two). A contract
 * with other code could give heads that shrink, whatever its events say; one that is replaced some day is added here.
 */
export const knownCode: readonly string[] = ['0x9222f0d2471a41fb1a165b57bab3929793676209ad86dd645063252ce9f71995']

/** What the contract holds in one block. */
export interface ContractState {
  readonly anchorer: Address
  /** Null before the first anchor. */
  readonly latest: AnchoredHead | null
}

/** Whether our anchor contract, and nothing else, is at this address. */
export async function isAnchorContract(client: PublicClient, address: Address): Promise<boolean> {
  const code = await reach(() => client.getCode({ address }))
  return code !== undefined && knownCode.includes(keccak256(code))
}

/** Reads the contract as of a block (the newest without one); null when it is not there. */
export async function stateOfContract(
  client: PublicClient,
  address: Address,
  blockNumber?: bigint,
): Promise<ContractState | null> {
  const at = { address, abi: anchorAbi, ...(blockNumber === undefined ? {} : { blockNumber }) } as const
  return reach(async () => {
    try {
      const [anchorer, [size, root]] = await Promise.all([
        client.readContract({ ...at, functionName: 'anchorer' }),
        client.readContract({ ...at, functionName: 'latest' }),
      ])
      return {
        anchorer: getAddress(anchorer),
        latest: size === 0n ? null : { size: Number(size), root: hexToBytes(root) },
      }
    } catch (error) {
      if (isNoContract(error)) return null
      throw error
    }
  })
}

function isNoContract(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false
  const types = [ContractFunctionZeroDataError, ContractFunctionRevertedError]
  return error.walk((cause) => types.some((type) => cause instanceof type)) !== null
}
