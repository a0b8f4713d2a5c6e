import type { TillitServer } from '@tillit/http'
import { Problem } from '@tillit/problem'
import { Did, WatchedDidState } from '@tillit/schemas'
import { Type } from 'typebox'
import { readDidLog, readWitnessFile } from './did-file-routes.ts'
import type { DidStore } from './did-store.ts'
import { forEveryone } from './for-everyone.ts'
import { etagOf, serveText, type TextFile } from './serve-text.ts'
import type { WatchStore } from './watch-store.ts'
import type { Watcher } from './watcher.ts'
import { ScidQuery, type WatcherRequestRouteParts, watcherRequestRoutes } from './watcher-request-routes.ts'

const closed = { additionalProperties: false } as const
const tags = ['registry']

export interface WatcherRouteParts extends WatcherRequestRouteParts {
  readonly store: DidStore
  readonly watched: WatchStore
  readonly watcher: Watcher
}

/**
 * Histories of DIDs for whoever wants a second source: of the listed ones that live here, and of foreign ones that somebody
 * wanted watched (did:webvh v1.0, "Watcher HTTP API Operations").
 */
export function watcherRoutes({ store, watched, watcher, ...requests }: WatcherRouteParts) {
  return async (app: TillitServer): Promise<void> => {
    app.addHook('onRequest', forEveryone)
    await watcherRequestRoutes(requests)(app)
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
        await watcher.watch(request.query.did)
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
    app.get(
      '/watcher/state',
      {
        schema: {
          operationId: 'read-watched-state',
          summary: 'Whether the host of a watched did:webvh still shows the history that was seen first',
          tags,
          querystring: ScidQuery,
          response: { 200: WatchedDidState },
        },
      },
      async (request): Promise<WatchedDidState> => {
        const state = await watched.readState(request.query.scid)
        if (state === null) throw new Problem('did-not-found')
        const { did, versionId, checkedAt, fault, otherLog } = state
        return { did, version_id: versionId, checked_at: checkedAt.toISOString(), fault, other_log: otherLog }
      },
    )
  }

  async function watchedLog(scid: string): Promise<TextFile> {
    const head = await store.readListedHead(scid)
    if (head !== null) return readDidLog(head, store)
    const kept = await watched.find(scid)
    if (kept === null) throw new Problem('did-not-found')
    return { text: kept.log, contentType: 'text/jsonl', etag: `"${kept.versionId}"` }
  }

  async function watchedWitnessFile(scid: string): Promise<TextFile> {
    const head = await store.readListedHead(scid)
    const own = head === null ? null : await readWitnessFile(head, store)
    if (own !== null) return own
    const text = (await watched.find(scid))?.witnessFile ?? null
    if (text === null) throw new Problem('not-found', { detail: 'No witness has approved a version of the DID' })
    return { text, contentType: 'application/json', etag: etagOf(text) }
  }
}
