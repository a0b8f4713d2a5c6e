import type { Database } from '@tillit/database'
import type { CredentialType, DidResolutionResult, PublicJwk, PurposeCatalogue } from '@tillit/schemas'
import type { FastifyBaseLogger } from 'fastify'
import type { Store } from './store.ts'
import type { PermissionsTables } from './tables.ts'

/** All that the service needs from outside; standalone hands it in. */
export interface PermissionsPorts {
  db: Database<PermissionsTables>
  now(): Date
  randomBytes(length: number): Uint8Array
  resolveDid(did: string): Promise<DidResolutionResult>
  issueCredential(issuance: {
    type: CredentialType
    holder: { did: string; jwk: PublicJwk }
    claims: Record<string, unknown>
    expires?: Date
  }): Promise<{ credential: string }>
  /** The authority's own DID: audience of statements. */
  authorityDid: string
  /** A compact JWS of that type by the authority, under a key of its DID. */
  signAsAuthority(typ: string, claims: object): Promise<string>
  publicUrl: string
  catalogue?: PurposeCatalogue
  logger: Pick<FastifyBaseLogger, 'error'>
}

/** What the use cases work with. */
export interface PermissionsContext {
  store: Store
  ports: PermissionsPorts
}
