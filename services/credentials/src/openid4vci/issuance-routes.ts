import { callerOf, type TillitServer } from '@tillit/http'
import {
  CredentialRequest,
  CredentialResponse,
  DeferredCredentialRequest,
  IssuanceError,
  NonceResponse,
  NotificationRequest,
  PendingCredentialResponse,
} from '@tillit/schemas'
import { type TSchema, Type } from 'typebox'
import { issueNonce } from '../issue-nonce.ts'
import type { Context } from '../ports.ts'
import { requestDeferredCredentials } from './defer-issuance.ts'
import { replyIssuanceError } from './issuance-errors.ts'
import { jwtType, receiveCredentialRequest, receiveDeferredRequest } from './issuance-message.ts'
import { endpoints, issuerMetadata, signedIssuerMetadata } from './issuer-metadata.ts'
import { preferredType } from './preferred-type.ts'
import { recordNotification } from './record-notification.ts'
import { requestCredentials } from './request-credentials.ts'

/** How long a copy of the metadata may be used, in seconds. */
const metadataAgeSeconds = 60

const tags = ['openid4vci']

/** Wallets with a token for credentials, and the city's own clients. */
const wallets = {
  callers: ['customer' as const, 'device' as const, 'organisation' as const],
  credentialTokens: true,
  anyOrigin: true,
}
const everyone = { anyOrigin: true }

/** The endpoints of a credential issuer (OpenID4VCI 1.0). */
export function issuanceRoutes(context: Context): (app: TillitServer) => Promise<void> {
  return async (app) => {
    metadataRoute(app, context)
    nonceRoute(app, context)
    await app.register(async (scope) => {
      scope.setErrorHandler(replyIssuanceError('invalid_credential_request'))
      scope.addContentTypeParser(jwtType, { parseAs: 'string' }, async (_: unknown, body: string) => body)
      credentialRoutes(scope, context)
    })
    await app.register(async (scope) => {
      scope.setErrorHandler(replyIssuanceError('invalid_notification_request'))
      notificationRoute(scope, context)
    })
  }
}

function metadataRoute(app: TillitServer, context: Context): void {
  app.get(
    '/.well-known/openid-credential-issuer',
    {
      schema: {
        operationId: 'read-issuer-metadata',
        summary: `What is issued here and how (OpenID4VCI 1.0), as JSON or signed as ${jwtType}`,
        tags,
        response: {
          200: {
            description: 'Credential Issuer Metadata',
            content: {
              'application/json': { schema: Type.Record(Type.String(), Type.Unknown()) },
              [jwtType]: { schema: Type.String() },
            },
          },
        },
      },
      config: everyone,
    },
    async (request, reply) => {
      reply.header('vary', 'accept').header('cache-control', `public, max-age=${metadataAgeSeconds}`)
      const type = preferredType(request.headers.accept, ['application/json', jwtType])
      reply.type(type)
      return type === jwtType ? signedIssuerMetadata(context) : issuerMetadata(context)
    },
  )
}

function nonceRoute(app: TillitServer, context: Context): void {
  app.post(
    endpoints.nonce,
    {
      schema: {
        operationId: 'request-nonce',
        summary: 'A c_nonce for key proofs, usable once',
        tags,
        response: { 200: NonceResponse },
      },
      config: everyone,
    },
    async (_request, reply) => reply.header('cache-control', 'no-store').send(await issueNonce(context)),
  )
}

function credentialRoutes(app: TillitServer, context: Context): void {
  const { requestDecryption } = context.openid4vci
  app.post(
    endpoints.credential,
    {
      schema: {
        operationId: 'request-credentials',
        summary: 'Credentials for the keys that are proven, or a transaction when they take time',
        tags,
        body: requestBody(CredentialRequest),
        response: responses,
      },
      config: wallets,
    },
    async (request, reply) => {
      const { request: asked, answer } = await receiveCredentialRequest(request.body, requestDecryption)
      return answer(reply, await requestCredentials(context, callerOf(request), asked))
    },
  )
  app.post(
    endpoints.deferred,
    {
      schema: {
        operationId: 'request-deferred-credentials',
        summary: 'Credentials that were not there yet',
        tags,
        body: requestBody(DeferredCredentialRequest),
        response: responses,
      },
      config: wallets,
    },
    async (request, reply) => {
      const { request: asked, answer } = await receiveDeferredRequest(request.body, requestDecryption)
      return answer(reply, await requestDeferredCredentials(context, callerOf(request), asked.transaction_id))
    },
  )
}

function notificationRoute(app: TillitServer, context: Context): void {
  app.post(
    endpoints.notification,
    {
      schema: {
        operationId: 'record-notification',
        summary: 'A wallet tells what became of the credentials',
        tags,
        body: NotificationRequest,
        response: { 204: Type.Null(), ...errorResponses },
      },
      config: wallets,
    },
    async (request, reply) => {
      await recordNotification(context, callerOf(request), request.body)
      return reply.code(204).send(null)
    },
  )
}

const errorResponse = { description: 'Error', content: { 'application/json': { schema: IssuanceError } } }
const errorResponses = { 400: errorResponse, 401: errorResponse, 403: errorResponse }
const responses = {
  200: messageOf('The credentials', CredentialResponse),
  202: messageOf('They take more time', PendingCredentialResponse),
  ...errorResponses,
}

function requestBody(schema: TSchema) {
  return { content: { 'application/json': { schema }, [jwtType]: { schema: Type.String() } } }
}

function messageOf(description: string, schema: TSchema) {
  return { description, content: { 'application/json': { schema }, [jwtType]: { schema: Type.String() } } }
}
