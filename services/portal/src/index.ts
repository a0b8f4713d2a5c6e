export { type BuildOptions, buildPortal, defaultPageFolder } from './build-portal.ts'
export { createPortal, type Portal, type PortalPorts, portalRoutes } from './create-portal.ts'
export { portalRedirects } from './sign-in.ts'
export type { PortalTables } from './store.ts'
