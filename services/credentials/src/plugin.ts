import { callerOf, type TillitServer } from '@tillit/http'
import { OpaqueId, Opening, StatusEventList } from '@tillit/schemas'
import { Type } from 'typebox'
import { bulkRoutes } from './bulk/bulk-routes.ts'
import { issuanceRoutes } from './openid4vci/issuance-routes.ts'
import { offerRoutes } from './openid4vci/offer-routes.ts'
import type { Context } from './ports.ts'
import { listStatusEvents, readStatusReceipt } from './read-status-events.ts'
import { statusRoutes } from './status-routes.ts'
import { trustRoutes } from './trust-routes.ts'
import { typeRoutes } from './type-routes.ts'
import { vcApiRoutes } from './vc-api/vc-api-routes.ts'

const closed = { additionalProperties: false } as const

/** The routes of the credentials service: the trust registry, issuing, status and verifying. */
export function credentialsRoutes(context: Context): (app: TillitServer) => Promise<void> {
  return async (app) => {
    trustRoutes(app, context)
    credentialRoutes(app, context)
    statusRoutes(app, context)
    typeRoutes(app)
    bulkRoutes(app, context)
    await app.register(issuanceRoutes(context))
    await app.register(offerRoutes(context))
    await app.register(vcApiRoutes(context))
  }
}

function credentialRoutes(app: TillitServer, context: Context): void {
  const tags = ['credentials']
  const concerned = { callers: ['customer' as const, 'device' as const, 'organisation' as const] }
  app.get(
    '/credentials/:id/events',
    {
      schema: {
        operationId: 'list-status-events',
        summary: 'What happened to a credential, for its holder, its issuer and the registrar',
        tags,
        params: Type.Object({ id: OpaqueId('cred') }, closed),
        response: { 200: StatusEventList },
      },
      config: concerned,
    },
    async (request) => ({ events: await listStatusEvents(context, callerOf(request), request.params.id) }),
  )
  app.get(
    '/credentials/:id/events/:seq/receipt',
    {
      schema: {
        operationId: 'read-status-receipt',
        summary: 'What opens the leaf of such an event in the log',
        tags,
        params: Type.Object({ id: OpaqueId('cred'), seq: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }) }, closed),
        response: { 200: Opening },
      },
      config: concerned,
    },
    async (request) => {
      const { id: credentialId, seq } = request.params
      return readStatusReceipt(context, callerOf(request), { credentialId, seq })
    },
  )
}
