import { Problem } from '@tillit/problem'

export interface GroupLimits {
  /** Most items written at once. */
  readonly maxGroup: number
  /** Most items that wait while others are written. */
  readonly maxWaiting: number
  /** Whether the fault may be that of one item alone; then the group is written in halves, so that only that one fails. */
  readonly spoiledByOne: (error: unknown) => boolean
}

/** Hands in an item; gives its result once it is durable. Throws what its write threw, or Problem too-many-requests. */
export type HandIn<Item, Result> = (item: Item) => Promise<Result>

/**
 * Group commit: items that come while a group is being written are written together as soon as it is done, so one durable
 * write serves many callers and nobody waits for a timer. A write that fails fails for everyone in it; each may try again.
 */
export function createGroupCommit<Item, Result>(
  write: (items: readonly Item[]) => Promise<readonly Result[]>,
  { maxGroup, maxWaiting, spoiledByOne }: GroupLimits,
): HandIn<Item, Result> {
  const waiting: Waiter<Item, Result>[] = []
  let writing = false

  return (item) => {
    if (waiting.length >= maxWaiting)
      throw new Problem('too-many-requests', { detail: 'Too many registrations wait to be written' })
    return new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!writing) void writeAll()
    })
  }

  async function writeAll(): Promise<void> {
    writing = true
    // What is handed in within the same turn belongs to the first group too.
    await Promise.resolve()
    while (waiting.length > 0) await writeGroup(waiting.splice(0, maxGroup))
    writing = false
  }

  async function writeGroup(group: readonly Waiter<Item, Result>[]): Promise<void> {
    try {
      const results = await write(group.map(({ item }) => item))
      group.forEach(({ resolve, reject }, index) => {
        const result = results[index]
        if (result === undefined) reject(new Error('a write gave fewer results than it was given items'))
        else resolve(result)
      })
    } catch (error) {
      if (group.length > 1 && spoiledByOne(error)) {
        const half = Math.ceil(group.length / 2)
        await writeGroup(group.slice(0, half))
        await writeGroup(group.slice(half))
        return
      }
      for (const { reject } of group) reject(error)
    }
  }
}

interface Waiter<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}
