export { createRegistry, type Registry, type RegistryStatus } from './create-registry.ts'
export { registryRoutes } from './plugin.ts'
export type { Logger, RegistryPorts } from './ports.ts'
export type { RegistryTables } from './tables.ts'
