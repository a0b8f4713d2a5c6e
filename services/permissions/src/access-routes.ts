import { callerOf, type TillitServer } from '@tillit/http'
import { Problem } from '@tillit/problem'
import {
  ActionSearchRequest,
  ActionSearchResponse,
  AuthzenConfiguration,
  EntitySearchResponse,
  EvaluationRequest,
  EvaluationResponse,
  EvaluationsRequest,
  EvaluationsResponse,
  ResourceSearchRequest,
  SubjectSearchRequest,
} from '@tillit/schemas'
import type { FastifyRequest } from 'fastify'
import { createAccessStore } from './authzen/access-store.ts'
import {
  accessPaths,
  configurationPath,
  createAuthzenConfiguration,
  metadataMaxAgeSeconds,
} from './authzen/authzen-configuration.ts'
import { evaluateAccess } from './authzen/evaluate-access.ts'
import { evaluateAccesses } from './authzen/evaluate-accesses.ts'
import { searchActions, searchResources, searchSubjects } from './authzen/search-access.ts'
import type { PermissionsContext } from './ports.ts'

/** The decision point (OpenID AuthZEN Authorization API 1.0). Unknown members are ignored, as that specification says. */
export function addAccessRoutes(server: TillitServer, { ports }: PermissionsContext): void {
  const configuration = createAuthzenConfiguration(ports)
  const context = { access: createAccessStore(ports.db), ports }
  const asked = (request: FastifyRequest) => ({ ...context, caller: callerOf(request) })
  const route = { config: { callers: ['customer' as const, 'organisation' as const] } }
  const about = { tags: ['access'] }

  server.register(async (app: TillitServer) => {
    followBinding(app)
    app.post(
      accessPaths.access_evaluation_endpoint,
      {
        ...route,
        schema: {
          ...{ ...about, operationId: 'evaluate-access', summary: 'OpenID AuthZEN: would this read be allowed?' },
          body: EvaluationRequest,
          response: { 200: EvaluationResponse },
        },
      },
      (request) => evaluateAccess(request.body, asked(request)),
    )
    app.post(
      accessPaths.access_evaluations_endpoint,
      {
        ...route,
        schema: {
          ...{
            ...about,
            operationId: 'evaluate-accesses',
            summary: 'OpenID AuthZEN: which of these would be allowed?',
          },
          body: EvaluationsRequest,
          response: { 200: EvaluationsResponse },
        },
      },
      (request) => evaluateAccesses(request.body, asked(request)),
    )
    app.post(
      accessPaths.search_subject_endpoint,
      {
        ...route,
        schema: {
          ...{
            ...about,
            operationId: 'search-subjects',
            summary: 'OpenID AuthZEN: who may do this here? For the utility',
          },
          body: SubjectSearchRequest,
          response: { 200: EntitySearchResponse },
        },
      },
      (request) => searchSubjects(request.body, asked(request)),
    )
    app.post(
      accessPaths.search_resource_endpoint,
      {
        ...route,
        schema: {
          ...{ ...about, operationId: 'search-resources', summary: 'OpenID AuthZEN: where may the subject do this?' },
          body: ResourceSearchRequest,
          response: { 200: EntitySearchResponse },
        },
      },
      (request) => searchResources(request.body, asked(request)),
    )
    app.post(
      accessPaths.search_action_endpoint,
      {
        ...route,
        schema: {
          ...{ ...about, operationId: 'search-actions', summary: 'OpenID AuthZEN: what may the subject do here?' },
          body: ActionSearchRequest,
          response: { 200: ActionSearchResponse },
        },
      },
      (request) => searchActions(request.body, asked(request)),
    )
    app.get(
      configurationPath,
      {
        schema: {
          ...{ ...about, operationId: 'authzen-configuration', summary: 'OpenID AuthZEN: where the decision point is' },
          response: { 200: AuthzenConfiguration },
        },
      },
      (_request, reply) => {
        reply.header('cache-control', `public, max-age=${metadataMaxAgeSeconds}`)
        return configuration()
      },
    )
  })
}

/** What AuthZEN's HTTPS binding (section 10.1) asks for beyond what every route does. */
function followBinding(app: TillitServer): void {
  // The identifier is an arbitrary string and comes back as it is; our own logs keep to one that is safe in them.
  app.addHook('onSend', async (request, reply) => {
    const identifier = request.headers['x-request-id']
    if (identifier !== undefined) reply.header('x-request-id', identifier)
  })
  // Error responses know 400 for what is not JSON.
  app.addContentTypeParser('*', async () => {
    throw new Problem('invalid-request', { detail: 'The Content-Type has to be application/json' })
  })
}
