import { statusPurposes } from '@tillit/credential'
import { callerOf, type TillitServer } from '@tillit/http'
import { OpaqueId, StatusListAggregation } from '@tillit/schemas'
import { Type } from 'typebox'
import type { Context } from './ports.ts'
import { createStatusListPublisher, type PublishedList, statusListTtlSeconds } from './publish-status-list.ts'
import { revokeCredential } from './revoke-credential.ts'
import { statusListUri } from './status-list-uri.ts'
import { setCredentialSuspension } from './suspend-credential.ts'

const tokenType = 'application/statuslist+jwt'
const bitstringType = 'application/vc+jwt'

const closed = { additionalProperties: false } as const
const listId = Type.Integer({ minimum: 1, maximum: 999_999_999 })
const byCredential = Type.Object({ id: OpaqueId('cred') }, closed)

/** How the status of credentials is changed, and where verifiers read it. */
export function statusRoutes(app: TillitServer, context: Context): void {
  changeRoutes(app, context)
  listRoutes(app, context)
}

function changeRoutes(app: TillitServer, context: Context): void {
  const tags = ['credentials']
  app.post(
    '/credentials/:id/revocation',
    {
      schema: {
        operationId: 'revoke-credential',
        summary: 'The issuer or the registrar revokes a credential for good',
        tags,
        params: byCredential,
        response: { 204: Type.Null() },
      },
      config: { callers: ['organisation'] },
    },
    async (request, reply) => {
      await revokeCredential(context, callerOf(request).id, { credentialId: request.params.id })
      return reply.code(204).send(null)
    },
  )
  for (const suspended of [true, false]) {
    app.route({
      method: suspended ? 'POST' : 'DELETE',
      url: '/credentials/:id/suspension',
      schema: {
        operationId: suspended ? 'suspend-credential' : 'reinstate-credential',
        summary: suspended
          ? 'The issuer or the registrar suspends a credential'
          : 'The issuer or the registrar ends the suspension of a credential',
        tags,
        params: byCredential,
        response: { 204: Type.Null() },
      },
      config: { callers: ['organisation'] },
      handler: async (request, reply) => {
        await setCredentialSuspension(context, callerOf(request).id, { credentialId: request.params.id, suspended })
        return reply.code(204).send(null)
      },
    })
  }
}

function listRoutes(app: TillitServer, context: Context): void {
  const publish = createStatusListPublisher(context)
  const tags = ['credentials']
  app.get(
    '/credentials/status-lists',
    {
      schema: {
        operationId: 'list-status-lists',
        summary: 'The addresses of all Status List Tokens (status_list_aggregation_uri)',
        tags,
        response: { 200: StatusListAggregation },
      },
    },
    async () => {
      const ids = await context.store.statusListIds()
      return { status_lists: ids.map((id) => statusListUri(context.publicUrl, id)) }
    },
  )
  app.get(
    '/credentials/status-lists/:id',
    {
      schema: {
        operationId: 'read-status-list',
        summary: `A Status List Token (${tokenType}), no older than ${statusListTtlSeconds} s`,
        tags,
        params: Type.Object({ id: listId }, closed),
        response: responses(tokenType, 'Status List Token'),
      },
    },
    async ({ params, headers }, reply) => {
      const list = await publish(params.id, 'token')
      reply.headers(headersOf(list))
      if (headers['if-none-match'] === list.etag) return reply.code(304).send(null)
      return reply.type(tokenType).send(list.jwt)
    },
  )
  app.get(
    '/credentials/status-lists/:id/:purpose',
    {
      schema: {
        operationId: 'read-bitstring-status-list',
        summary: `The same list for W3C credentials: a BitstringStatusListCredential (${bitstringType})`,
        tags,
        params: Type.Object({ id: listId, purpose: Type.Enum([...statusPurposes]) }, closed),
        response: responses(bitstringType, 'BitstringStatusListCredential'),
      },
    },
    async ({ params, headers }, reply) => {
      const list = await publish(params.id, params.purpose)
      reply.headers(headersOf(list))
      if (headers['if-none-match'] === list.etag) return reply.code(304).send(null)
      return reply.type(bitstringType).send(list.jwt)
    },
  )
}

/** Verifiers in browsers read lists too: they say nothing of whoever asks. */
function headersOf({ etag }: PublishedList) {
  return {
    etag,
    'cache-control': `public, max-age=${statusListTtlSeconds}`,
    'access-control-allow-origin': '*',
  }
}

function responses(type: string, description: string) {
  return { 200: { description, content: { [type]: { schema: Type.String() } } }, 304: Type.Null() }
}
