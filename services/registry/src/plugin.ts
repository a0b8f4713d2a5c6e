import type { TillitServer } from '@tillit/http'
import { didFileRoutes } from './did-file-routes.ts'
import { type DidRouteParts, didRoutes } from './did-routes.ts'
import { type IdentifierRouteParts, identifierRoutes } from './identifier-routes.ts'
import { type LogRouteParts, logRoutes } from './log-routes.ts'
import { type WatcherRouteParts, watcherRoutes } from './watcher-routes.ts'

export interface RegistryRouteParts {
  readonly dids: DidRouteParts
  readonly identifiers: IdentifierRouteParts
  readonly watcher: WatcherRouteParts
  readonly log: LogRouteParts
}

/** The routes of the registry: identifiers, resolution, watching, log and anchors. */
export function registryRoutes(parts: RegistryRouteParts) {
  return async (app: TillitServer): Promise<void> => {
    await didRoutes(parts.dids)(app)
    // Each in a scope of its own, so that its headers are on its answers only.
    await app.register(didFileRoutes(parts.dids))
    await app.register(identifierRoutes(parts.identifiers))
    await app.register(watcherRoutes(parts.watcher))
    await app.register(logRoutes(parts.log))
  }
}
