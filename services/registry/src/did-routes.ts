import type { DidResolution, ResolveOptions } from '@tillit/did'
import type { TillitServer } from '@tillit/http'
import { Problem } from '@tillit/problem'
import { DidAccepted, DidLogEntry, DidRegistration } from '@tillit/schemas'
import { Type } from 'typebox'
import { appendDidEntry } from './append-did-entry.ts'
import { didOfPath } from './did-of-path.ts'
import type { DidStore } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'
import { registerDid } from './register-did.ts'
import { resolveIdentifier } from './resolve-identifier.ts'

/** Largest entry, in bytes: a document with dozens of keys and services. */
const entryLimitBytes = 64 * 1024

const closed = { additionalProperties: false } as const
const DidParams = Type.Object({ did: Type.String({ maxLength: 2048 }) })
const VersionQuery = Type.Object(
  {
    versionId: Type.Optional(Type.String({ maxLength: 128 })),
    versionTime: Type.Optional(Type.String({ maxLength: 40 })),
    versionNumber: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  closed,
)

export interface DidRouteParts {
  readonly store: DidStore
  readonly ports: Pick<RegistryPorts, 'now' | 'randomBytes' | 'didHost'>
  readonly resolve: (did: string, options: ResolveOptions) => Promise<DidResolution>
  /** Told that an entry waits for the log. */
  readonly onAccepted: () => void
}

/** DIDs are self-issued: their entries prove themselves, so these routes need no caller. */
export function didRoutes({ store, ports, resolve, onAccepted }: DidRouteParts) {
  return async (app: TillitServer): Promise<void> => {
    app.post(
      '/dids',
      {
        bodyLimit: entryLimitBytes,
        schema: {
          operationId: 'register-did',
          summary: 'Registers a did:webvh from its first entry',
          tags: ['registry'],
          body: DidRegistration,
          response: { 200: DidAccepted, 201: DidAccepted },
        },
      },
      async (request, reply) => {
        const { accepted, created } = await registerDid(request.body, { store, ...ports })
        if (created) onAccepted()
        return reply.code(created ? 201 : 200).send(accepted)
      },
    )

    app.post(
      '/dids/:did/entries',
      {
        bodyLimit: entryLimitBytes,
        schema: {
          operationId: 'append-did-entry',
          summary: 'Updates, rotates or deactivates a DID',
          tags: ['registry'],
          params: DidParams,
          body: DidLogEntry,
          response: { 200: DidAccepted, 201: DidAccepted },
        },
      },
      async (request, reply) => {
        const { accepted, created } = await appendDidEntry(didOfPath(request.url, 2), request.body, { store, ...ports })
        if (created) onAccepted()
        return reply.code(created ? 201 : 200).send(accepted)
      },
    )

    app.get(
      '/dids/:slug/did.jsonl',
      {
        schema: {
          operationId: 'read-did-log',
          summary: 'The log of a did:webvh, where its DID says it is',
          tags: ['registry'],
          params: Type.Object({ slug: Type.String({ maxLength: 128 }) }),
        },
      },
      async (request, reply) => {
        const found = await store.readLogAt(request.params.slug)
        if (found === null) throw new Problem('did-not-found')
        const etag = `"${found.versionId}"`
        reply.header('etag', etag).header('cache-control', 'no-cache')
        if (request.headers['if-none-match'] === etag) return reply.code(304).send()
        return reply.type('text/jsonl').send(found.log)
      },
    )

    app.get(
      '/1.0/identifiers/:did',
      {
        schema: {
          operationId: 'resolve-identifier',
          summary: 'Resolves a DID (W3C DID Resolution, HTTP binding)',
          tags: ['registry'],
          params: DidParams,
          querystring: VersionQuery,
        },
      },
      async (request, reply) => {
        const { accept: acceptHeader } = request.headers
        const options = { ...request.query, ...(acceptHeader === undefined ? {} : { acceptHeader }) }
        const { status, contentType, body } = await resolveIdentifier(didOfPath(request.url, 3), options, resolve)
        return reply.code(status).header('vary', 'accept').type(contentType).send(JSON.stringify(body))
      },
    )
  }
}
