import { callerOf, type TillitServer } from '@tillit/http'
import { Permission, PermissionRequest } from '@tillit/schemas'
import { Type } from 'typebox'
import { permissionView } from './permission-view.ts'
import type { PermissionsContext as Context } from './ports.ts'
import { requestPermission } from './request-permission.ts'
import { terminatePermission } from './terminate-permission.ts'
import { PermissionId } from './wire.ts'

/** What an eligible party does: ask, and give up. */
export function addPartyRoutes(app: TillitServer, context: Context): void {
  app.post(
    '/permission-requests',
    {
      schema: {
        operationId: 'request-permission',
        summary: 'An eligible party asks for the data of one metering point',
        tags: ['permissions'],
        headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) }),
        body: PermissionRequest,
        response: { 201: Permission },
      },
      config: { callers: ['organisation'] },
    },
    async (request, reply) => {
      const permission = await requestPermission(
        {
          partyDid: callerOf(request).id,
          body: request.body,
          idempotencyKey: request.headers['idempotency-key'] ?? null,
        },
        context,
      )
      return reply.code(201).header('location', `/permissions/${permission.id}`).send(permissionView(permission))
    },
  )
  app.post(
    '/permissions/:id/termination',
    {
      schema: {
        operationId: 'terminate-permission',
        summary: 'The party gives up its request or its permission',
        tags: ['permissions'],
        params: PermissionId,
        response: { 200: Permission },
      },
      config: { callers: ['organisation'] },
    },
    async (request) => {
      const partyDid = callerOf(request).id
      return permissionView(await terminatePermission({ permissionId: request.params.id, partyDid }, context))
    },
  )
}
