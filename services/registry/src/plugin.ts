import type { TillitServer } from '@tillit/http'
import { type DidRouteParts, didRoutes } from './did-routes.ts'
import { type LogRouteParts, logRoutes } from './log-routes.ts'

/** The routes of the registry: identifiers, resolution, log and anchors. All public. */
export function registryRoutes(parts: { dids: DidRouteParts; log: LogRouteParts }) {
  return async (app: TillitServer): Promise<void> => {
    await didRoutes(parts.dids)(app)
    await logRoutes(parts.log)(app)
  }
}
