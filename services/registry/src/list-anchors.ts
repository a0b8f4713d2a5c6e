import type { AnchorList } from '@tillit/schemas'
import { anchorEvidence } from './anchor-evidence.ts'
import type { AnchorStore } from './anchor-store.ts'

/** Anchors by size, from `minSize` on. */
export async function listAnchors(
  { minSize, limit }: { minSize: number; limit: number },
  anchors: AnchorStore,
): Promise<AnchorList> {
  const records = await anchors.list(minSize, limit + 1)
  return { anchors: records.slice(0, limit).map(anchorEvidence), next_min_size: records[limit]?.size ?? null }
}
