import { callerOf, type TillitServer } from '@tillit/http'
import { CredentialOffer, NewOffer, OfferList, OfferRequest, OpaqueId } from '@tillit/schemas'
import { Type } from 'typebox'
import type { Context } from '../ports.ts'
import { createOffer } from './create-offer.ts'
import { endpoints } from './issuer-metadata.ts'
import { drawOffer, listOffers, offerSchemes, readOffer, withdrawOffer } from './read-offers.ts'

const maxPageSize = 100

const tags = ['openid4vci']
const closed = { additionalProperties: false } as const
const byId = Type.Object({ id: OpaqueId('offer') }, closed)
const makers = { callers: ['organisation' as const, 'customer' as const] }

/** Credential offers (OpenID4VCI 1.0 section 4): made and withdrawn by those who may, fetched by whoever has the link. */
export function offerRoutes(context: Context): (app: TillitServer) => Promise<void> {
  return async (app) => {
    makerRoutes(app, context)
    walletRoutes(app, context)
  }
}

function makerRoutes(app: TillitServer, context: Context): void {
  app.post(
    endpoints.offers,
    {
      schema: {
        operationId: 'create-offer',
        summary: 'An issuer offers credentials to a holder, or a customer their own to a wallet of theirs',
        tags,
        body: OfferRequest,
        response: { 201: NewOffer },
      },
      config: makers,
    },
    async (request, reply) => reply.code(201).send(await createOffer(context, callerOf(request), request.body)),
  )
  app.get(
    endpoints.offers,
    {
      schema: {
        operationId: 'list-offers',
        summary: 'Offers that the caller made',
        tags,
        querystring: Type.Object(
          {
            after: Type.Optional(OpaqueId('offer')),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxPageSize })),
          },
          closed,
        ),
        response: { 200: OfferList },
      },
      config: makers,
    },
    async (request) => {
      const { after = '', limit = maxPageSize } = request.query
      return listOffers(context, callerOf(request).id, { after, limit })
    },
  )
  app.delete(
    `${endpoints.offers}/:id`,
    {
      schema: {
        operationId: 'withdraw-offer',
        summary: 'Nothing is issued under the offer from now on',
        tags,
        params: byId,
        response: { 204: Type.Null() },
      },
      config: makers,
    },
    async (request, reply) => {
      await withdrawOffer(context, callerOf(request).id, request.params.id)
      return reply.code(204).send(null)
    },
  )
}

function walletRoutes(app: TillitServer, context: Context): void {
  app.get(
    `${endpoints.offers}/:id`,
    {
      schema: {
        operationId: 'read-offer',
        summary: 'What is offered, for the wallet that has the link',
        tags,
        params: byId,
        response: { 200: CredentialOffer },
      },
      config: { anyOrigin: true },
    },
    async (request, reply) =>
      reply.header('cache-control', 'no-store').send(await readOffer(context, request.params.id)),
  )
  app.get(
    `${endpoints.offers}/:id/qr.svg`,
    {
      schema: {
        operationId: 'draw-offer',
        summary: 'The link of the offer as a QR code',
        tags,
        params: byId,
        querystring: Type.Object({ scheme: Type.Optional(Type.Enum([...offerSchemes])) }, closed),
        response: { 200: { description: 'QR code', content: { 'image/svg+xml': { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      const { scheme = 'openid-credential-offer' } = request.query
      reply.header('cache-control', 'no-store').type('image/svg+xml')
      return drawOffer(context, request.params.id, scheme)
    },
  )
}
