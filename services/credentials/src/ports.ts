import type { ResolveDid } from '@tillit/credential'
import type { Database } from '@tillit/database'
import type { Signer } from '@tillit/keys'
import type { IssuancePorts } from './openid4vci/issuance-ports.ts'
import type { Store } from './store.ts'
import type { CredentialsTables } from './tables.ts'

/** A key that this city keeps for an issuer; `keyId` is the DID URL of its assertion method. */
export interface HostedIssuer {
  signer: Signer
  keyId: string
}

export interface CredentialsPorts {
  db: Database<CredentialsTables>
  now: () => Date
  randomBytes: (length: number) => Uint8Array
  resolveDid: ResolveDid
  /** The key kept for a DID (registrar, utilities, the authority), or null when it keeps its own. */
  issuers: (did: string) => Promise<HostedIssuer | null>
  /** Origin of the city, without a final slash. */
  publicUrl: string
  /** Tillit's own DID: signs status lists and receipts. */
  authorityDid: string
  openid4vci: IssuancePorts
  /** DIDs of issuers that may have credentials signed by W3C VC-API; usually none. */
  vcApiIssuers: readonly string[]
  /** Told of a fault in the background that nobody waits for. */
  onError: (error: unknown) => void
  /** Credentials in one status list; by default 2^17, the herd of W3C Bitstring Status List. */
  statusListSize?: number
}

/** What each use case gets: the ports with the store in place of the database. */
export interface Context extends Omit<CredentialsPorts, 'db'> {
  store: Store
  statusListSize: number
}
