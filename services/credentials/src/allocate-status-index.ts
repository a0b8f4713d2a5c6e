import { Problem } from '@tillit/problem'
import { type createStatusListWriter, triedCandidates } from './status-list-store.ts'
import type { Writer } from './store.ts'

/** Attempts before giving up: each fails only when others took the very same index, or while a list is being opened. */
const maxAttempts = 16

/** A status index that nobody ever had, at random in the open list. Throws Problem status-list-full. */
export async function allocateStatusIndex(
  writer: Writer,
  statusListSize: number,
): Promise<{ listId: number; idx: number }> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const { openList, taken, freeCandidates } = await writer.tryTakeIndex()
    if (openList && freeCandidates * 2 < triedCandidates) await writer.closeListWhenHalfFull(openList.id)
    if (taken) return taken
    await writer.openList(statusListSize)
  }
  throw new Problem('status-list-full')
}

/** Attempts for many at once: each takes what is free of as many as are missing. */
const maxBulkAttempts = 64

/**
 * As many status indexes that nobody ever had, at random. Outside of any transaction: what is not used in the end is lost, and
 * nobody waits for whoever uses the others. Throws Problem status-list-full.
 */
export async function allocateStatusIndexes(
  lists: Pick<ReturnType<typeof createStatusListWriter>, 'tryTakeIndexes' | 'closeListWhenHalfFull' | 'openList'>,
  { wanted, statusListSize }: { wanted: number; statusListSize: number },
): Promise<{ listId: number; idx: number }[]> {
  const places: { listId: number; idx: number }[] = []
  for (let attempt = 0; attempt < maxBulkAttempts && places.length < wanted; attempt++) {
    const missing = wanted - places.length
    const { openList, taken } = await lists.tryTakeIndexes(missing)
    places.push(...taken)
    // Some of them being taken means that the list fills; a count tells how far. Opened anew while there is still room.
    if (openList && taken.length < missing) await lists.closeListWhenHalfFull(openList.id)
    if (places.length < wanted || openList === null) await lists.openList(statusListSize)
  }
  if (places.length < wanted) throw new Problem('status-list-full')
  return places
}
