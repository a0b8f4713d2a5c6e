import type { TillitServer } from '@tillit/http'
import { Problem } from '@tillit/problem'
import { Did } from '@tillit/schemas'
import { Type } from 'typebox'
import { readDidLog, readWitnessFile } from './did-file-routes.ts'
import type { DidStore } from './did-store.ts'
import { forEveryone } from './for-everyone.ts'
import { etagOf, serveText, type TextFile } from './serve-text.ts'
import { type WatchParts, watchDid } from './watch-did.ts'

const closed = { additionalProperties: false } as const
const tags = ['registry']
const ScidQuery = Type.Object({ scid: Type.String({ pattern: '^Qm[1-9A-HJ-NP-Za-km-z]{44}$' }) }, closed)

export interface WatcherRouteParts extends WatchParts {
  readonly store: DidStore
}

/**
 * Histories of DIDs for whoever wants a second source: of the listed ones that live here, and of foreign ones that somebody
 * wanted watched (did:webvh v1.0, "Watcher HTTP API Operations": log and witness).
 */
export function watcherRoutes({ store, ...parts }: WatcherRouteParts) {
  return async (app: TillitServer): Promise<void> => {
    app.addHook('onRequest', forEveryone)
    app.get(
      '/watcher/log',
      {
        schema: {
          operationId: 'read-watched-log',
          summary: 'The newest verified log of a did:webvh',
          tags,
          querystring: ScidQuery,
        },
      },
      async (request, reply) => serveText(await watchedLog(request.query.scid), request.headers, reply),
    )
    app.post(
      '/watcher/log',
      {
        schema: {
          operationId: 'watch-did',
          summary: 'Tells that a did:webvh is to be watched, or has changed',
          tags,
          querystring: Type.Object({ did: Did }, closed),
          response: { 202: Type.Object({}, closed) },
        },
      },
      async (request, reply) => {
        await watchDid(request.query.did, parts)
        return reply.code(202).send({})
      },
    )
    app.get(
      '/watcher/witness',
      {
        schema: {
          operationId: 'read-watched-witness-file',
          summary: 'The newest did-witness.json of a did:webvh',
          tags,
          querystring: ScidQuery,
        },
      },
      async (request, reply) => serveText(await watchedWitnessFile(request.query.scid), request.headers, reply),
    )
  }

  async function watchedLog(scid: string): Promise<TextFile> {
    const head = await store.readListedHead(scid)
    if (head !== null && head.publishedVersion > 0) return readDidLog(head, store)
    const kept = await parts.watched.find(scid)
    if (kept === null) throw new Problem('did-not-found')
    return { text: kept.log, contentType: 'text/jsonl', etag: `"${kept.versionId}"` }
  }

  async function watchedWitnessFile(scid: string): Promise<TextFile> {
    const head = await store.readListedHead(scid)
    const own = head === null ? null : await readWitnessFile(head, store)
    if (own !== null) return own
    const text = (await parts.watched.find(scid))?.witnessFile ?? null
    if (text === null) throw new Problem('not-found', { detail: 'No witness has approved a version of the DID' })
    return { text, contentType: 'application/json', etag: etagOf(text) }
  }
}
