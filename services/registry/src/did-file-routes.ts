import { formatDidWitnessFile } from '@tillit/did'
import type { TillitServer } from '@tillit/http'
import { Problem } from '@tillit/problem'
import { Type } from 'typebox'
import type { DidHead, DidStore } from './did-store.ts'
import { forEveryone } from './for-everyone.ts'
import { etagOf, serveText, type TextFile } from './serve-text.ts'
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
      async (request, reply) =>
        serveText(await readDidLog(await publishedAt(request.params.slug, store), store), request.headers, reply),
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

export async function readDidLog({ did, publishedVersion, versionId }: DidHead, store: DidStore): Promise<TextFile> {
  const lines = await store.readLines(did, { from: 1, to: publishedVersion })
  // Erased between the two reads.
  if (lines.length !== publishedVersion || versionId === null) throw new Problem('did-not-found')
  // Entries never change, so the newest one's id stands for the whole file.
  return { text: lines.map((line) => `${line}\n`).join(''), contentType: 'text/jsonl', etag: `"${versionId}"` }
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
