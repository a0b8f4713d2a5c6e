import type { CredentialType } from '@tillit/schemas'
import type { Fact, Holder } from '../holder-facts.ts'
import type { KeyAttesters } from './key-attestation.ts'
import type { RequestDecryption } from './request-decryption.ts'

/** What issuing by OpenID4VCI needs of its surroundings. */
export interface IssuancePorts {
  /** From which the codes of offers follow; 32 bytes or more that nobody else knows. */
  offerSecret: Uint8Array
  requestDecryption: RequestDecryption
  /** Null: attestations of keys are not taken. */
  keyAttesters: KeyAttesters | null
  /** What other services can say about a holder, for the types that this one has no facts about. */
  factsOf?: (type: CredentialType, holder: Holder) => Promise<Fact[]>
}
