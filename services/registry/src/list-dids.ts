import type { ListedDids } from '@tillit/schemas'
import type { DidReader } from './did-store.ts'

/** A page of the listed DIDs, in the order of their bytes: a DID that comes while someone pages is found or is not, once. */
export async function listDids(
  { after, limit }: { after: string; limit: number },
  store: Pick<DidReader, 'readListedDids'>,
): Promise<ListedDids> {
  const heads = await store.readListedDids({ after, limit: limit + 1 })
  const page = heads.slice(0, limit)
  return {
    dids: page.map(({ did, versionId }) => ({ did, version_id: versionId ?? '' })),
    next_after: heads.length > limit ? (page.at(-1)?.did ?? null) : null,
  }
}
