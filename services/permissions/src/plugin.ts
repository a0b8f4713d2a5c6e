import type { TillitServer } from '@tillit/http'
import { addAccessRoutes } from './access-routes.ts'
import { addAnswerRoutes } from './answer-routes.ts'
import { addDelegationRoutes } from './delegation-routes.ts'
import { addPartyRoutes } from './party-routes.ts'
import type { PermissionsContext } from './ports.ts'
import { addReadRoutes } from './read-routes.ts'
import { addWalletRoutes } from './wallet-routes.ts'

/** Requests, consent, wallet keys, delegation, revocation and the decision point. */
export function permissionsRoutes(context: PermissionsContext) {
  return async (app: TillitServer): Promise<void> => {
    addPartyRoutes(app, context)
    addWalletRoutes(app, context)
    addAnswerRoutes(app, context)
    addReadRoutes(app, context)
    addDelegationRoutes(app, context)
    addAccessRoutes(app, context)
  }
}
