import type { Database } from '@tillit/database'
import type { DidResolutionResult, PublicJwk } from '@tillit/schemas'
import type { MeteringTables } from './tables.ts'

/** What the service needs of its surroundings. */
export interface MeteringPorts {
  db: Database<MeteringTables>
  now(): Date
  randomBytes(length: number): Uint8Array
  /** `fresh`: ask a foreign host again, at a bounded rate, although there is an answer. */
  resolveDid(did: string, options?: { readonly fresh?: boolean }): Promise<DidResolutionResult>
  /** Issues an SD-JWT VC to a holder. */
  issueCredential(order: {
    type: 'MeterDeviceCredential'
    holder: { did: string; jwk: PublicJwk }
    claims: Record<string, unknown>
    expires?: Date
  }): Promise<{ credential: string }>
  /** How long a client may take to receive its readings before it is cut off, in milliseconds; 10 s unless given. */
  handOverMilliseconds?: number
}
