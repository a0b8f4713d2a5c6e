/** Work that is repeated until it is stopped. */
export interface Loop {
  /** Runs the work now, or once more when it is running. */
  wake(): void
  /** Waits for work under way. */
  stop(): Promise<void>
}

/**
 * Runs the work again and again, one run at a time, `intervalMs` after the last or as soon as it is woken. The work handles
 * its own faults; what it still throws goes to `onFault`, and the loop goes on.
 */
export function startLoop(
  work: () => Promise<void>,
  options: { intervalMs: number; onFault: (error: unknown) => void },
): Loop {
  let stopped = false
  let woken = true
  let ring: () => void = () => undefined
  const running = run()
  return {
    wake() {
      woken = true
      ring()
    },
    async stop() {
      stopped = true
      ring()
      await running
    },
  }

  async function run(): Promise<void> {
    while (!stopped) {
      woken = false
      await work().catch(options.onFault)
      if (!stopped && !woken) await pause()
    }
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, options.intervalMs)
      ring = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
