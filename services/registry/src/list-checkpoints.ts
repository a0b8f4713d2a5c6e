import type { CheckpointList } from '@tillit/schemas'
import type { PublicationReader } from './publication-store.ts'

/** Published checkpoints by size, from `minSize` on, as far as they are kept. */
export async function listCheckpoints(
  { minSize, limit }: { minSize: number; limit: number },
  publications: Pick<PublicationReader, 'list'>,
): Promise<CheckpointList> {
  const checkpoints = await publications.list(minSize, limit + 1)
  return { checkpoints: checkpoints.slice(0, limit), next_min_size: checkpoints[limit]?.size ?? null }
}
