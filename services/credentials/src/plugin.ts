import { callerOf, type TillitServer } from '@tillit/http'
import {
  Accreditation,
  CredentialRequest,
  CredentialResponse,
  Did,
  NonceResponse,
  OpaqueId,
  Opening,
  Party,
  StatusEventList,
  VerificationRequest,
  VerificationResult,
} from '@tillit/schemas'
import { Type } from 'typebox'
import { accreditOrganisation } from './accredit-organisation.ts'
import { requireRoot } from './issue-credential.ts'
import { issueNonce } from './issue-nonce.ts'
import type { Context } from './ports.ts'
import { createStatusListPublisher, statusListTtlSeconds } from './publish-status-list.ts'
import { listStatusEvents, readStatusReceipt } from './read-status-events.ts'
import { requestCredential } from './request-credential.ts'
import { revokeCredential } from './revoke-credential.ts'
import { setSuspension } from './suspend-organisation.ts'
import { readParty, toParty } from './trust-registry.ts'
import { verifyCredential } from './verify-credential.ts'

const maxPageSize = 100
const statusListType = 'application/statuslist+jwt'

const closed = { additionalProperties: false } as const
const byDid = Type.Object({ did: Did }, closed)
const PartyList = Type.Object(
  { organisations: Type.Array(Party), next: Type.Optional(Type.String({ description: 'Pass as after' })) },
  closed,
)
const TrustRoot = Type.Object({ did: Did }, closed)

/** The routes of the credentials service: the trust registry, issuing, status and verifying. */
export function credentialsRoutes(context: Context): (app: TillitServer) => Promise<void> {
  return async (app) => {
    trustRoutes(app, context)
    credentialRoutes(app, context)
    statusListRoute(app, context)
  }
}

function trustRoutes(app: TillitServer, context: Context): void {
  const tags = ['trust']
  app.get(
    '/trust/root',
    { schema: { operationId: 'read-trust-root', summary: 'The root of trust', tags, response: { 200: TrustRoot } } },
    async () => ({ did: await requireRoot(context.store) }),
  )
  app.get(
    '/trust/organisations',
    {
      schema: {
        operationId: 'list-organisations',
        summary: 'Organisations that were accredited here',
        tags,
        querystring: Type.Object(
          {
            after: Type.Optional(Type.String({ maxLength: 1024 })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxPageSize })),
          },
          closed,
        ),
        response: { 200: PartyList },
      },
    },
    async ({ query: { after = '', limit = maxPageSize } }) => {
      const rows = await context.store.listParties(after, limit)
      const last = rows.length === limit ? rows.at(-1) : undefined
      return { organisations: rows.map(toParty), ...(last === undefined ? {} : { next: last.did }) }
    },
  )
  app.get(
    '/trust/organisations/:did',
    {
      schema: {
        operationId: 'read-organisation',
        summary: 'An organisation with its OrganisationCredential',
        tags,
        params: byDid,
        response: { 200: Party },
      },
    },
    async ({ params }) => readParty(context, params.did),
  )
  app.post(
    '/trust/accreditations',
    {
      schema: {
        operationId: 'accredit-organisation',
        summary: 'The registrar accredits an organisation',
        tags,
        body: Accreditation,
        response: { 201: Party },
      },
      config: { callers: ['organisation'] },
    },
    async (request, reply) =>
      reply.code(201).send(await accreditOrganisation(context, callerOf(request).id, request.body)),
  )
  for (const suspended of [true, false]) {
    app.route({
      method: suspended ? 'POST' : 'DELETE',
      url: '/trust/organisations/:did/suspension',
      schema: {
        operationId: suspended ? 'suspend-organisation' : 'readmit-organisation',
        summary: suspended ? 'The registrar suspends an organisation' : 'The registrar lifts a suspension',
        tags,
        params: byDid,
        response: { 200: Party },
      },
      config: { callers: ['organisation'] },
      handler: async (request) => setSuspension(context, callerOf(request).id, { did: request.params.did, suspended }),
    })
  }
}

function credentialRoutes(app: TillitServer, context: Context): void {
  const tags = ['credentials']
  app.post(
    '/credentials/nonce',
    {
      schema: {
        operationId: 'issue-nonce',
        summary: 'A nonce for a key proof, usable once',
        tags,
        response: { 200: NonceResponse },
      },
    },
    async (_request, reply) => reply.header('cache-control', 'no-store').send(await issueNonce(context)),
  )
  app.post(
    '/credentials',
    {
      schema: {
        operationId: 'request-credential',
        summary: 'A wallet asks for its own credentials (OpenID4VCI 1.0)',
        tags,
        body: CredentialRequest,
        response: { 200: CredentialResponse },
      },
      config: { callers: ['customer', 'device', 'organisation'] },
    },
    async (request) => requestCredential(context, callerOf(request), request.body),
  )
  app.post(
    '/credentials/:id/revocation',
    {
      schema: {
        operationId: 'revoke-credential',
        summary: 'The issuer or the registrar revokes a credential for good',
        tags,
        params: Type.Object({ id: OpaqueId('cred') }, closed),
        response: { 204: Type.Null() },
      },
      config: { callers: ['organisation'] },
    },
    async (request, reply) => {
      await revokeCredential(context, callerOf(request).id, { credentialId: request.params.id })
      return reply.code(204).send(null)
    },
  )
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
  app.post(
    '/credentials/verify',
    {
      schema: {
        operationId: 'verify-credential',
        summary: 'What a credential or DID-signed JWT is, and whether this city trusts it',
        tags,
        body: VerificationRequest,
        response: { 200: VerificationResult },
      },
    },
    async (request, reply) =>
      reply.header('cache-control', 'no-store').send(await verifyCredential(context, request.body.credential)),
  )
}

function statusListRoute(app: TillitServer, context: Context): void {
  const publish = createStatusListPublisher(context)
  app.get(
    '/credentials/status-lists/:id',
    {
      schema: {
        operationId: 'read-status-list',
        summary: `A Status List Token (application/statuslist+jwt), no older than ${statusListTtlSeconds} s`,
        tags: ['credentials'],
        params: Type.Object({ id: Type.Integer({ minimum: 1, maximum: 999_999_999 }) }, closed),
        response: {
          200: { description: 'Status List Token', content: { [statusListType]: { schema: Type.String() } } },
          304: Type.Null(),
        },
      },
    },
    async (request, reply) => {
      const { token, etag } = await publish(request.params.id)
      reply.header('etag', etag).header('cache-control', `public, max-age=${statusListTtlSeconds}`)
      if (request.headers['if-none-match'] === etag) return reply.code(304).send(null)
      return reply.type(statusListType).send(token)
    },
  )
}
