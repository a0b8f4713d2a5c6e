/** What was started, ended in reverse order; one that fails does not keep the others from ending. */
export class Teardown {
  #steps: (() => Promise<unknown>)[] = []
  #running: Promise<void> | null = null

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step)
  }

  /** Throws AggregateError when steps failed, after all were tried. */
  run(): Promise<void> {
    this.#running ??= this.#runSteps()
    return this.#running
  }

  async #runSteps(): Promise<void> {
    const failures: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'the city did not stop cleanly')
  }
}
