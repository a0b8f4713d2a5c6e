import type { Database } from '@tillit/database'
import type { TillitServer } from '@tillit/http'
import type { FastifyBaseLogger } from 'fastify'
import { defaultPageFolder } from './build-portal.ts'
import { createCurrentSession } from './current-session.ts'
import { pageRoutes } from './page-routes.ts'
import { sessionRoutes } from './portal-routes.ts'
import { createSessions } from './sessions.ts'
import { createSignIn, type SignInPorts } from './sign-in.ts'
import { createStore, type PortalTables } from './store.ts'

const purgeMinutes = 10

export interface PortalPorts extends SignInPorts {
  database: Database<PortalTables>
  /** What buildPortal made; it must exist when the routes are registered. */
  pageFolder?: string
  logger: Pick<FastifyBaseLogger, 'warn'>
}

export interface Portal {
  /** Fastify plugin: /, /portal/*. */
  routes(app: TillitServer): Promise<void>
  /** Starts the removal of sessions that have expired. */
  start(): void
  stop(): Promise<void>
}

/** The citizen's page and its session backend: tokens never reach the browser, and a leak of the database opens none. */
export function createPortal(ports: PortalPorts): Portal {
  const sessions = createSessions(createStore(ports.database), ports)
  const signIn = createSignIn(ports)
  const currentSession = createCurrentSession(sessions, signIn, ports.now)
  let timer: NodeJS.Timeout | undefined
  let purge: Promise<void> = Promise.resolve()
  return {
    async routes(app) {
      await app.register(pageRoutes(ports.pageFolder ?? defaultPageFolder))
      await app.register(sessionRoutes({ ...ports, sessions, signIn, currentSession }))
    },
    start() {
      timer ??= setInterval(() => {
        purge = sessions.removeExpired().catch((err) => ports.logger.warn({ err }, 'expired sessions were not removed'))
      }, purgeMinutes * 60_000).unref()
    },
    async stop() {
      clearInterval(timer)
      timer = undefined
      await purge
    },
  }
}

/** The same as a plain Fastify plugin, for whoever needs no start and stop. */
export function portalRoutes(ports: PortalPorts): (app: TillitServer) => Promise<void> {
  return createPortal(ports).routes
}
