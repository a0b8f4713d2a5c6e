import { formatDidWitnessFile } from '@tillit/did'
import type { TillitServer } from '@tillit/http'
import { Problem } from '@tillit/problem'
import { Type } from 'typebox'
import type { DidHead, DidStore } from './did-store.ts'
import { forEveryone } from './for-everyone.ts'
import { etagOf, matches, sendUnchanged, serveText, type TextFile } from './serve-text.ts'
import { toWitnessFile } from './take-witness-proofs.ts'

const SlugParams = Type.Object({ slug: Type.String({ maxLength: 128 }) })

/** The files of did:webvh, where its DIDs say that they are. */
export function didFileRoutes({ store }: { store: DidStore }) {
  return async (app: TillitServer): Promise<void> => {
    app.addHook('onRequest', forEveryone)
    app.get(
      '/dids/:slug/did.jsonl',
      {
        schema: {
          operationId: 'read-did-log',
          summary: 'The published log of a did:webvh',
          tags: ['registry'],
          params: SlugParams,
        },
      },
      async (request, reply) => {
        const head = await publishedAt(request.params.slug, store)
        // Resolvers ask again and again; what they have is told from the head, without reading the log.
        const etag = logEtag(head)
        if (matches(request.headers['if-none-match'], etag)) return sendUnchanged(etag, reply)
        return serveText(await readDidLog(head, store), request.headers, reply)
      },
    )
    app.get(
      '/dids/:slug/did-witness.json',
      {
        schema: {
          operationId: 'read-did-witness-file',
          summary: 'What witnesses have approved of a did:webvh',
          tags: ['registry'],
          params: SlugParams,
        },
      },
      async (request, reply) => {
        const file = await readWitnessFile(await headAt(request.params.slug, store), store)
        if (file === null) throw new Problem('not-found', { detail: 'No witness has approved a version of the DID' })
        return serveText(file, request.headers, reply)
      },
    )
  }
}

export async function readDidLog(head: DidHead, store: DidStore): Promise<TextFile> {
  const { did, publishedVersion, versionId } = head
  const lines = await store.readLines(did, { from: 1, to: publishedVersion })
  // Erased between the two reads.
  if (lines.length !== publishedVersion || versionId === null) throw new Problem('did-not-found')
  return { text: lines.map((line) => `${line}\n`).join(''), contentType: 'text/jsonl', etag: logEtag(head) }
}

/** Entries never change, so the newest one's id stands for the whole file. */
function logEtag({ versionId }: DidHead): string {
  return `"${versionId ?? ''}"`
}

/** The did-witness.json of a DID, also with proofs of what is not published yet; null when there are none. */
export async function readWitnessFile({ did }: DidHead, store: DidStore): Promise<TextFile | null> {
  const proofs = await store.readWitnessProofs(did)
  if (proofs.length === 0) return null
  const text = formatDidWitnessFile(toWitnessFile(proofs))
  return { text, contentType: 'application/json', etag: etagOf(text) }
}

async function publishedAt(slug: string, store: DidStore): Promise<DidHead> {
  const head = await headAt(slug, store)
  if (head.publishedVersion === 0)
    throw new Problem('did-not-found', { detail: 'The DID still waits for its witnesses' })
  return head
}

async function headAt(slug: string, store: DidStore): Promise<DidHead> {
  const head = await store.readHeadAt(slug)
  if (head !== null) return head
  throw (await store.wasErasedAt(slug)) ? new Problem('did-erased') : new Problem('did-not-found')
}
