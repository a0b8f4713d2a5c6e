import { Problem } from '@tillit/problem'
import { stateOfContract } from './anchor-contract.ts'
import type { AnchoredHead } from './ledger.ts'
import { openForReading, type ReadOptions } from './read-anchor.ts'

/** What the ledger says of an anchor contract. */
export interface AnchorContract {
  readonly chainId: number
  readonly chainName: string
  /** Address of the account that may anchor. */
  readonly anchorer: string
  /** Null before the first anchor. */
  readonly latest: AnchoredHead | null
}

/** Reads who anchors in a contract and its largest head, from the ledger itself. Throws Problem as readAnchor does. */
export async function readAnchorContract(options: ReadOptions): Promise<AnchorContract> {
  const { connection, contract } = await openForReading(options)
  const state = await stateOfContract(connection.client, contract)
  if (state === null) throw new Problem('anchor-mismatch', { detail: 'The anchor contract does not answer as it must' })
  return { chainId: connection.chain.id, chainName: connection.chain.title, ...state }
}
