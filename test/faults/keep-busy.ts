/** Repeats work, one run after the other and whatever it throws, until it is told to stop; then waits for the last run. */
export function keepBusy(work: () => Promise<unknown>): { stop(): Promise<void>; readonly done: number } {
  let stopped = false
  let done = 0
  const running = run()
  return {
    get done() {
      return done
    },
    async stop() {
      stopped = true
      await running
    },
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const held = await work().then(
        () => true,
        () => false, // what it got is noted by whoever watches the answers
      )
      if (held) done++
      // A city that is gone refuses at once; asking in a tight loop would only take its processor.
      else await new Promise((later) => setTimeout(later, 20))
    }
  }
}
