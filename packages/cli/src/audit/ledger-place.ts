import { type City, CityError } from '@tillit/client'

/** Where the ledger of a city can be read. */
export interface LedgerPlace {
  readonly rpcUrl: string
  readonly contract: string
}

/** The caller's word first, then the city's. Null, with the reason, when neither names both a node and a contract. */
export async function findLedger(
  city: City,
  given: { ledger?: string | undefined; contract?: string | undefined },
): Promise<LedgerPlace | { readonly absent: string }> {
  let told: { rpc_url: string | null; contract: string | null } = { rpc_url: null, contract: null }
  if (given.ledger === undefined || given.contract === undefined) {
    try {
      told = await city.get('/registry/ledger')
    } catch (error) {
      if (!(error instanceof CityError) && !(error instanceof TypeError)) throw error
      return { absent: 'the city does not say where its ledger is' }
    }
  }
  const rpcUrl = given.ledger ?? told.rpc_url
  const contract = given.contract ?? told.contract
  if (!rpcUrl) return { absent: 'the city names no node of the ledger; give one with --ledger' }
  if (!contract) return { absent: 'the city names no anchor contract' }
  return { rpcUrl, contract }
}
