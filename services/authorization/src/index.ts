export {
  type Authorization,
  type AuthorizationPorts,
  createAuthorization,
  type TokenKey,
} from './create-authorization.ts'
export type { Persona } from './development-eid.ts'
export type { PortalClient } from './portal-client.ts'
export type { AuthorizationTables } from './store.ts'
export type { CredentialIdentifiers } from './token-details.ts'
