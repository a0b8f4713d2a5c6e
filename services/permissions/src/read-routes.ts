import { callerOf, type TillitServer } from '@tillit/http'
import { Opening, Permission, PermissionList } from '@tillit/schemas'
import type { PermissionsContext as Context } from './ports.ts'
import { listEvents, listPermissions, readEventReceipt, readPermission } from './read-permissions.ts'
import { EventId, PermissionEventList, PermissionId, PermissionQuery } from './wire.ts'

/** Permissions, their history and its receipts, as far as they are the caller's. */
export function addReadRoutes(app: TillitServer, { store, ports }: Context): void {
  app.get(
    '/permissions',
    {
      schema: {
        operationId: 'list-permissions',
        summary: 'Permissions of the caller, newest first',
        tags: ['permissions'],
        querystring: PermissionQuery,
        response: { 200: PermissionList },
      },
      config: { callers: ['customer', 'organisation'] },
    },
    (request) => listPermissions(request.query, { store, caller: callerOf(request), now: ports.now() }),
  )
  app.get(
    '/permissions/:id',
    {
      schema: {
        operationId: 'read-permission',
        summary: 'One permission',
        tags: ['permissions'],
        params: PermissionId,
        response: { 200: Permission },
      },
      config: { callers: ['customer', 'organisation'] },
    },
    (request) => readPermission(request.params.id, { store, caller: callerOf(request), now: ports.now() }),
  )
  app.get(
    '/permissions/:id/events',
    {
      schema: {
        operationId: 'list-permission-events',
        summary: 'What happened to a permission',
        tags: ['permissions'],
        params: PermissionId,
        response: { 200: PermissionEventList },
      },
      config: { callers: ['customer', 'organisation'] },
    },
    async (request) => ({
      events: await listEvents(request.params.id, { store, caller: callerOf(request), now: ports.now() }),
    }),
  )
  app.get(
    '/permissions/:id/events/:seq/receipt',
    {
      schema: {
        operationId: 'read-permission-event-receipt',
        summary: 'What opens the commitment of an event in the log',
        tags: ['permissions'],
        params: EventId,
        response: { 200: Opening },
      },
      config: { callers: ['customer', 'organisation'] },
    },
    (request) => {
      const { id, seq } = request.params
      return readEventReceipt(id, seq, { store, caller: callerOf(request), now: ports.now() })
    },
  )
}
