export type { PortalClient } from './configure-provider.ts'
export {
  type Authorization,
  type AuthorizationPorts,
  createAuthorization,
  type TokenKey,
} from './create-authorization.ts'
export type { Persona } from './development-eid.ts'
export type { AuthorizationTables } from './store.ts'
