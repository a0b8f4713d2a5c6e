/**
 * Works on several items at once and gives the results in the order of the items: what is read ahead is bounded by
 * `concurrency`. A failure surfaces at its place.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = []
  for (const item of items) {
    const started = work(item)
    // Its place may be reached after it failed; until then nobody waits for it.
    started.catch(() => undefined)
    underWay.push(started)
    if (underWay.length < concurrency) continue
    const first = underWay.shift()
    if (first !== undefined) yield await first
  }
  for (const rest of underWay) yield await rest
}
