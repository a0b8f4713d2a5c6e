import { Problem } from '@tillit/problem'
import { triedCandidates } from './status-list-store.ts'
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
