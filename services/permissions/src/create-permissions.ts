import type { TillitServer } from '@tillit/http'
import type { CredentialType } from '@tillit/schemas'
import { expirePermissions } from './expire-permissions.ts'
import { permissionsRoutes } from './plugin.ts'
import type { PermissionsPorts } from './ports.ts'
import { type ReceiptFact, receiptFacts } from './receipt-facts.ts'
import { createStore } from './store.ts'

const expiryIntervalMilliseconds = 30_000

export interface Permissions {
  /** Fastify plugin with every route of the service. */
  routes(app: TillitServer): Promise<void>
  /** What the authority could say in receipts to a customer, for those who issue credentials. */
  receiptFacts(
    type: CredentialType,
    holder: { kind: 'customer' | 'device' | 'organisation'; id: string },
  ): Promise<ReceiptFact[]>
  /** Writes down what time has done, now and every 30 seconds. */
  start(): Promise<void>
  /** Ends that, after the run that is under way. */
  stop(): Promise<void>
}

/** Requests, consent, delegation and revocation, over one database. */
export function createPermissions(ports: PermissionsPorts): Permissions {
  const store = createStore(ports.db)
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  const run = async (): Promise<void> => {
    try {
      await expirePermissions({ store, ports })
    } catch (error) {
      // The next run does what this one left; enforcement does not depend on it.
      ports.logger.error({ err: error }, 'permissions whose time has come were not all written down')
    }
  }
  return {
    routes: permissionsRoutes({ store, ports }),
    receiptFacts: (type, holder) => receiptFacts({ store, ports }, type, holder),
    start: async () => {
      running = run()
      await running
      timer = setInterval(() => {
        running = running.then(run)
      }, expiryIntervalMilliseconds)
      timer.unref()
    },
    stop: async () => {
      clearInterval(timer)
      await running
    },
  }
}
