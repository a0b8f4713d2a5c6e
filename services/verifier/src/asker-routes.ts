import { callerOf, type TillitServer } from '@tillit/http'
import { OpaqueId, Presentation, PresentationRequest } from '@tillit/schemas'
import { Type } from 'typebox'
import { deletePresentation } from './delete-presentation.ts'
import type { Context } from './ports.ts'
import { readPresentation } from './read-presentation.ts'
import { requestPresentation } from './request-presentation.ts'

const tags = ['presentations']
const params = Type.Object({ id: OpaqueId('vp') }, { additionalProperties: false })
const config = { callers: ['organisation' as const] }

/** What organisations do that ask for presentations. */
export function addAskerRoutes(app: TillitServer, context: Context): void {
  app.post(
    '/presentations',
    {
      schema: {
        operationId: 'request-presentation',
        summary: 'Ask a holder for a presentation (OpenID4VP 1.0)',
        tags,
        body: PresentationRequest,
        response: { 201: Presentation },
      },
      config,
    },
    async (request, reply) =>
      reply.code(201).send(await requestPresentation(context, callerOf(request).id, request.body)),
  )
  app.get(
    '/presentations/:id',
    {
      schema: {
        operationId: 'read-presentation',
        summary: 'What became of a presentation, for the organisation that asked',
        tags,
        params,
        querystring: Type.Object(
          {
            response_code: Type.Optional(
              Type.String({ maxLength: 128, description: 'Same-device: what the wallet brought back' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: Presentation },
      },
      config,
    },
    async (request) =>
      readPresentation(context, callerOf(request).id, {
        id: request.params.id,
        responseCode: request.query.response_code ?? null,
      }),
  )
  app.delete(
    '/presentations/:id',
    {
      schema: {
        operationId: 'delete-presentation',
        summary: 'End a presentation and delete what was disclosed',
        tags,
        params,
        response: { 204: Type.Null() },
      },
      config,
    },
    async (request, reply) => {
      await deletePresentation(context, callerOf(request).id, request.params.id)
      return reply.code(204).send(null)
    },
  )
}
