import { setTimeout as delay } from 'node:timers/promises'

/** Tries again until it succeeds; after `withinSeconds` the last fault is the answer. */
export async function eventually<T>(work: () => T | Promise<T>, withinSeconds = 30): Promise<T> {
  for (const deadline = performance.now() + withinSeconds * 1000; ; ) {
    try {
      return await work()
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    await delay(100)
  }
}
