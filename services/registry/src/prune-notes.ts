import type { NoteKind, RetentionStore } from './retention-store.ts'

/**
 * Notes kept whether they are anchored or not. With a post-quantum cosignature one takes 3.6 kB, so this is 15 MB; and an
 * hour of a log that grows each second, in which whoever saw a checkpoint can still ask for a proof under that very one.
 */
const keptNotes = 4096

/** Notes deleted in one statement: publishing waits for it. */
const batchNotes = 512

/**
 * Deletes notes that nothing rests on: receipts carry their own, and proofs come from the tiles. A round deletes one batch of
 * each kind at most, so an older city catches up little by little; it gives whether there may be more to delete.
 */
export function createPruner(store: RetentionStore, options: { kept?: number; batch?: number } = {}) {
  const { kept = keptNotes, batch = batchNotes } = options
  /** Below these sizes nothing is left to delete. A new process looks once from the start. */
  const done: Record<NoteKind, number> = { published: 0, signed: 0 }

  /** Gives whether there may be more. */
  async function pruneKind(kind: NoteKind, except: number | null): Promise<boolean> {
    const to = await store.oldestOf(kind, kept)
    const from = done[kind]
    if (to === null || to <= from) return false
    const deleted = await store.deleteNotes(kind, { from, to, except, limit: batch })
    const more = deleted.length === batch
    done[kind] = Math.min(more ? Math.max(...deleted) + 1 : to, except ?? to)
    return more
  }

  return async (): Promise<boolean> => {
    // It tells since when the log waits for the ledger, however long that is.
    const more = await pruneKind('published', await store.oldestUnanchored())
    return (await pruneKind('signed', null)) || more
  }
}
