export { createPermissions, type Permissions } from './create-permissions.ts'
export type { PermissionsPorts } from './ports.ts'
export type { PermissionsTables } from './tables.ts'
