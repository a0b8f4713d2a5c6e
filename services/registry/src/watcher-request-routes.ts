import { sha256, toHex } from '@tillit/codec'
import type { TillitServer } from '@tillit/http'
import { Problem } from '@tillit/problem'
import { DidWatcherRequest } from '@tillit/schemas'
import { Type } from 'typebox'
import { matches } from './serve-text.ts'
import type { WatchedResourceStore } from './watched-resource-store.ts'
import { resourcePath, type WatcherRequests } from './watcher-requests.ts'

/** An empty presentation and its proof. */
const requestLimitBytes = 8 * 1024

const closed = { additionalProperties: false } as const
const tags = ['registry']
const scid = Type.String({ pattern: '^Qm[1-9A-HJ-NP-Za-km-z]{44}$' })
export const ScidQuery = Type.Object({ scid }, closed)
const ResourceQuery = Type.Object({ scid, path: Type.String({ minLength: 1, maxLength: 256 }) }, closed)
const accepted = { 202: Type.Object({}, closed) }

export interface WatcherRequestRouteParts {
  readonly requests: WatcherRequests
  readonly resources: WatchedResourceStore
}

/** What controllers ask of the watcher, and the resources that it keeps for them (did:webvh v1.0, Watcher OpenAPI). */
export function watcherRequestRoutes({ requests, resources }: WatcherRequestRouteParts) {
  return async (app: TillitServer): Promise<void> => {
    app.post(
      '/watcher/log/delete',
      {
        bodyLimit: requestLimitBytes,
        schema: {
          operationId: 'delete-watched-log',
          summary: 'Deletes the copy of a did:webvh, at the request of its controller',
          tags,
          querystring: ScidQuery,
          body: DidWatcherRequest,
          response: accepted,
        },
      },
      async (request, reply) => {
        await requests.deleteLog(request.query.scid, request.body)
        return reply.code(202).send({})
      },
    )
    app.get(
      '/watcher/resource',
      {
        schema: {
          operationId: 'read-watched-resource',
          summary: 'A resource of a watched did:webvh, as its host gave it',
          tags,
          querystring: ResourceQuery,
        },
      },
      async (request, reply) => {
        const { scid, path } = request.query
        const resource = await resources.find(scid, resourcePath(path))
        if (resource === null) throw new Problem('not-found')
        const etag = `"${toHex(sha256(resource.content).subarray(0, 16))}"`
        // Bytes of strangers: no browser is to show them as pages of this origin, whatever they are.
        reply.headers({
          etag,
          'cache-control': 'no-cache',
          'x-content-type-options': 'nosniff',
          'content-disposition': 'attachment',
          'content-security-policy': "default-src 'none'; sandbox",
        })
        if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
        return reply.header('content-type', resource.mediaType).send(Buffer.from(resource.content))
      },
    )
    app.post(
      '/watcher/resource',
      {
        bodyLimit: requestLimitBytes,
        schema: {
          operationId: 'take-watched-resource',
          summary: 'Tells that a did:webvh has a new or changed resource',
          tags,
          querystring: ResourceQuery,
          body: DidWatcherRequest,
          response: accepted,
        },
      },
      async (request, reply) => {
        await requests.takeResource(request.query, request.body)
        return reply.code(202).send({})
      },
    )
    app.post(
      '/watcher/resource/delete',
      {
        bodyLimit: requestLimitBytes,
        schema: {
          operationId: 'delete-watched-resource',
          summary: 'Deletes the copy of a resource, at the request of the controller of its did:webvh',
          tags,
          querystring: ResourceQuery,
          body: DidWatcherRequest,
          response: accepted,
        },
      },
      async (request, reply) => {
        await requests.deleteResource(request.query, request.body)
        return reply.code(202).send({})
      },
    )
  }
}
