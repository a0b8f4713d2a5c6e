/** Runs work on one thing after the other, in order of asking; null when too much of it waits already. */
export type TakeTurn = <Result>(thing: string, work: () => Promise<Result>) => Promise<Result | null>

export function oneAtATime(maxWaiting: number): TakeTurn {
  const queues = new Map<string, { last: Promise<unknown>; length: number }>()
  return async (thing, work) => {
    const queue = queues.get(thing) ?? { last: Promise.resolve(), length: 0 }
    if (queue.length > maxWaiting) return null
    queues.set(thing, queue)
    queue.length++
    // Work that failed is its caller's to know; the next one runs all the same.
    const mine = queue.last.then(work, work)
    queue.last = mine.catch(() => undefined)
    try {
      return await mine
    } finally {
      if (--queue.length === 0) queues.delete(thing)
    }
  }
}
