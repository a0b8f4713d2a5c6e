import { setGlobalConfig } from '@openid4vc/oauth2'
import type { TillitServer } from '@tillit/http'
import { addAskerRoutes } from './asker-routes.ts'
import type { Context, VerifierPorts } from './ports.ts'
import { createStore } from './store.ts'
import { addWalletRoutes } from './wallet-routes.ts'

/** How late a result may be deleted; nobody is shown it after its time. */
const deleteIntervalMilliseconds = 10_000

export interface Verifier {
  /** Fastify plugin: /presentations, /openid4vp. */
  routes: (app: TillitServer) => Promise<void>
  start: () => Promise<void>
  stop: () => Promise<void>
}

/** The verifier service: organisations ask, wallets present, and what was disclosed is deleted after its time. */
export function createVerifier({ db, ...ports }: VerifierPorts): Verifier {
  const context: Context = { ...ports, store: createStore(db) }
  // A development city has no TLS, and the library otherwise refuses its addresses.
  if (ports.publicUrl.startsWith('http:')) setGlobalConfig({ allowInsecureUrls: true })
  let timer: NodeJS.Timeout | undefined
  let deleting: Promise<void> = Promise.resolve()
  return {
    routes: async (app) => {
      addAskerRoutes(app, context)
      await app.register(async (scope: TillitServer) => addWalletRoutes(scope, context))
    },
    start: async () => {
      timer ??= setInterval(() => {
        deleting = context.store.deleteDue(context.now()).catch(context.onError)
      }, deleteIntervalMilliseconds)
    },
    stop: async () => {
      clearInterval(timer)
      timer = undefined
      await deleting
    },
  }
}
