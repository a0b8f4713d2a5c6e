import { AnchorEvidence } from '@tillit/schemas'
import { type Static, Type } from 'typebox'
import { anchorEvidence } from './anchor-evidence.ts'
import type { AnchorStore } from './anchor-store.ts'

export const AnchorList = Type.Object(
  {
    anchors: Type.Array(AnchorEvidence),
    next_min_size: Type.Union([Type.Null(), Type.Integer()], { description: 'min_size of the next page' }),
  },
  { $id: 'AnchorList', additionalProperties: false },
)

/** Anchors by size, from `minSize` on. */
export async function listAnchors(
  { minSize, limit }: { minSize: number; limit: number },
  anchors: AnchorStore,
): Promise<Static<typeof AnchorList>> {
  const records = await anchors.list(minSize, limit + 1)
  return { anchors: records.slice(0, limit).map(anchorEvidence), next_min_size: records[limit]?.size ?? null }
}
