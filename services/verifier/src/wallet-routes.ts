import type { TillitServer } from '@tillit/http'
import { isFault, isProblem, Problem } from '@tillit/problem'
import { OpaqueId } from '@tillit/schemas'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { acceptResponse } from './accept-response.ts'
import { openRequest } from './open-request.ts'
import type { Context } from './ports.ts'
import { readRequestObject } from './read-request-object.ts'
import { requestQr } from './request-links.ts'
import { parseWalletRequest, silentWallet } from './wallet-request.ts'

const tags = ['openid4vp']
const formType = 'application/x-www-form-urlencoded'
const requestObjectType = 'application/oauth-authz-req+jwt'
/** A few credentials with all their disclosures. */
const responseLimitBytes = 512 * 1024
const requestLimitBytes = 32 * 1024

/** Wallets are web pages, too. */
const config = { anyOrigin: true }

const params = Type.Object({ id: OpaqueId('vpr') }, { additionalProperties: false })

const oauthError = {
  description: 'An error (RFC 6749)',
  content: {
    'application/json': { schema: Type.Object({ error: Type.String(), error_description: Type.String() }) },
  },
}
const requestObject = {
  description: 'The signed request object',
  content: { [requestObjectType]: { schema: Type.String() } },
}

/** The endpoints of OpenID4VP 1.0 that wallets call. Whoever knows the id of a request may answer it, and learns nothing else. */
export function addWalletRoutes(app: TillitServer, context: Context): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(formType, { parseAs: 'string' }, async (_request: unknown, body: string) => parseForm(body))
  app.setErrorHandler((error, _request, reply) => replyError(error, reply))
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })

  app.get(
    '/openid4vp/requests/:id',
    {
      schema: {
        ...{
          operationId: 'read-request-object',
          summary: 'The request, signed (OpenID4VP 1.0 section 5)',
          tags,
          params,
        },
        response: { 200: requestObject, 400: oauthError },
      },
      config,
    },
    async (request, reply) =>
      reply.type(requestObjectType).send(await readRequestObject(context, request.params.id, silentWallet)),
  )
  app.post(
    '/openid4vp/requests/:id',
    {
      schema: {
        ...{
          operationId: 'post-request-object',
          summary: 'The request, for a wallet that says what it can',
          tags,
          params,
        },
        consumes: [formType],
        body: Type.Object({
          wallet_nonce: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
          wallet_metadata: Type.Optional(Type.String()),
        }),
        response: { 200: requestObject, 400: oauthError },
      },
      bodyLimit: requestLimitBytes,
      config,
    },
    async (request, reply) => {
      const wallet = parseWalletRequest(request.body)
      return reply.type(requestObjectType).send(await readRequestObject(context, request.params.id, wallet))
    },
  )
  app.get(
    '/openid4vp/requests/:id/qr.svg',
    {
      schema: {
        ...{ operationId: 'read-request-qr', summary: 'The link into a wallet as a QR code', tags, params },
        response: {
          200: { description: 'A picture', content: { 'image/svg+xml': { schema: Type.String() } } },
          400: oauthError,
        },
      },
    },
    async (request, reply) => {
      const opened = await openRequest(context, request.params.id, context.now())
      return reply.type('image/svg+xml').send(requestQr(context.publicUrl, opened.request))
    },
  )
  app.post(
    '/openid4vp/responses/:id',
    {
      schema: {
        ...{ operationId: 'accept-response', summary: 'A wallet answers (OpenID4VP 1.0 section 8.2)', tags, params },
        consumes: [formType],
        body: Type.Object({
          response: Type.Optional(Type.String()),
          vp_token: Type.Optional(Type.String()),
          error: Type.Optional(Type.String()),
          error_description: Type.Optional(Type.String()),
        }),
        response: {
          200: Type.Object({ redirect_uri: Type.Optional(Type.String({ format: 'uri' })) }),
          400: oauthError,
        },
      },
      bodyLimit: responseLimitBytes,
      config,
    },
    async (request) => acceptResponse(context, request.params.id, request.body),
  )
}

/** RFC 6749 section 3.1: a parameter stands once. */
function parseForm(body: string): { [name: string]: string } {
  const form: { [name: string]: string } = Object.create(null)
  for (const [name, value] of new URLSearchParams(body)) {
    if (name in form) throw new Problem('invalid-request', { detail: 'A parameter stands twice' })
    form[name] = value
  }
  return form
}

/** Wallets read OAuth errors. What is a fault of ours, or not this protocol's, is answered as everywhere. */
function replyError(error: unknown, reply: FastifyReply): FastifyReply {
  if (!isProblem(error) || isFault(error)) throw error
  // Refusing a presentation is no challenge to authenticate, so 401 and 403 become 400.
  const status = error.code === 'not-found' || error.code === 'presentation-closed' ? error.status : 400
  return reply
    .code(status)
    .type('application/json')
    .serializer(JSON.stringify)
    .send({ error: 'invalid_request', error_description: inAscii(error.message) })
}

/** RFC 6749 section 5.2 bounds the characters of a description. */
function inAscii(text: string): string {
  return text.replaceAll('’', "'").replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, ' ')
}
