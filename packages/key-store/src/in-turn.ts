/** Runs steps one after the other; one that fails does not hold up the next. */
export function inTurn(): <T>(step: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (step) => {
    const own = last.then(step)
    last = own.catch(() => undefined)
    return own
  }
}
