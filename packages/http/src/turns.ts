import { Problem } from '@tillit/problem'

export interface TurnLimits {
  /** How much of one caller's work may be under way at once. */
  atOnce: number
  /** How much more of it may wait for its turn. */
  waiting: number
}

/** Runs work in the name of a caller, when it is their turn. Throws Problem too-many-requests when too much waits already. */
export type TakeTurn = <Result>(caller: string, work: () => Promise<Result>) => Promise<Result>

/**
 * Turns for work that holds something scarce (a database connection, a lock) for as long as its caller likes: one caller
 * takes a fixed share at most and what is left serves the others. First come, first served, in this process.
 */
export function createTurns({ atOnce, waiting }: TurnLimits): TakeTurn {
  const callers = new Map<string, { running: number; queue: (() => void)[] }>()
  return async (caller, work) => {
    const own = callers.get(caller) ?? { running: 0, queue: [] }
    callers.set(caller, own)
    if (own.running < atOnce) own.running++
    else {
      if (own.queue.length >= waiting)
        throw new Problem('too-many-requests', { detail: 'Earlier requests of this caller are still under way' })
      // Whoever ends hands its turn over, so `running` stays as it is.
      await new Promise<void>((resolve) => own.queue.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = own.queue.shift()
      if (next) next()
      else if (--own.running === 0) callers.delete(caller)
    }
  }
}
