export { createMetering, type Metering } from './create-metering.ts'
export { meteringRoutes } from './plugin.ts'
export type { MeteringPorts } from './ports.ts'
export type { MeteringTables } from './tables.ts'
