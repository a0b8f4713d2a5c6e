import type { PresentationVerification } from '@tillit/credential'
import type { Database } from '@tillit/database'
import type { Signer } from '@tillit/keys'
import type { Party } from '@tillit/schemas'
import type { Store } from './store.ts'
import type { VerifierTables } from './tables.ts'

/** A key that this city keeps for a DID; `keyId` is the DID URL of its verification method. */
export interface HostedKey {
  signer: Signer
  keyId: string
}

/** By what wallets of the high assurance profile know the verifier (HAIP 1.0 section 5). */
export interface VerifierCertificate {
  signer: Signer
  /** `x5c`: base64 DER, the leaf first, without the trust anchor. */
  chain: readonly [string, ...string[]]
}

export interface VerifierPorts {
  db: Database<VerifierTables>
  now: () => Date
  randomBytes: (length: number) => Uint8Array
  /** Origin of the city, without a final slash. */
  publicUrl: string
  /** The key kept for a DID, or null: then the authority asks in its place. */
  hostedKeys: (did: string) => Promise<HostedKey | null>
  authorityDid: string
  certificate: VerifierCertificate | null
  /** An organisation as the trust registry has it. Throws Problem not-found. */
  readParty: (did: string) => Promise<Party>
  /** How this city verifies credentials: whom it trusts, and where their status stands. */
  verification: () => Promise<Pick<PresentationVerification, 'resolveDid' | 'now' | 'status' | 'trust'>>
  /** Told of a fault in the background that nobody waits for. */
  onError: (error: unknown) => void
}

/** What each use case gets: the ports with the store in place of the database. */
export interface Context extends Omit<VerifierPorts, 'db'> {
  store: Store
}
