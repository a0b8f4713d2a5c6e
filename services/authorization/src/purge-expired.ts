import { purgedTables, type Store } from './store.ts'

const intervalMilliseconds = 60_000
const rowsAtOnce = 5000

/** Deletes expired rows once a minute, in portions. They are never read again, so a missed purge only costs room. */
export function startPurge(
  store: Pick<Store, 'purgeExpired'>,
  onError: (error: unknown) => void,
): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve()
  let stopped = false
  const purge = async () => {
    for (const table of purgedTables) {
      while (!stopped && (await store.purgeExpired(table, rowsAtOnce)) === rowsAtOnce);
    }
  }
  const timer = setInterval(() => {
    running = running.then(purge).catch(onError)
  }, intervalMilliseconds)
  timer.unref()
  return {
    async stop() {
      stopped = true
      clearInterval(timer)
      await running
    },
  }
}
