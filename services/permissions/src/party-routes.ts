import { callerOf, createTurns, type TillitServer } from '@tillit/http'
import { Permission, PermissionRequest } from '@tillit/schemas'
import { Type } from 'typebox'
import { permissionView } from './permission-view.ts'
import type { PermissionsContext as Context } from './ports.ts'
import { requestPermission } from './request-permission.ts'
import { terminatePermission } from './terminate-permission.ts'
import { PermissionId } from './wire.ts'

/** An ending waits for readers on a connection: a party that reads slowly must not take those of everyone else's revocations. */
const endingLimits = { atOnce: 2, waiting: 32 }

/** What an eligible party does: ask, and give up. */
export function addPartyRoutes(app: TillitServer, context: Context): void {
  const takeTurn = createTurns(endingLimits)
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
      const ended = await takeTurn(partyDid, () =>
        terminatePermission({ permissionId: request.params.id, partyDid }, context),
      )
      return permissionView(ended)
    },
  )
}
