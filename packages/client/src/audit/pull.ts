/** Looks one item ahead in what comes in order, so that two orders can be walked side by side. */
export class Pull<Item> {
  readonly #items: AsyncIterator<Item>
  #ahead: Item | null | undefined

  constructor(items: AsyncIterable<Item>) {
    this.#items = items[Symbol.asyncIterator]()
  }

  /** The next item, which stays; null at the end. */
  async peek(): Promise<Item | null> {
    if (this.#ahead === undefined) {
      const { value, done } = await this.#items.next()
      this.#ahead = done ? null : value
    }
    return this.#ahead
  }

  /** Takes the next item when the test holds for it. */
  async takeIf(test: (item: Item) => boolean): Promise<Item | null> {
    const item = await this.peek()
    if (item === null || !test(item)) return null
    this.#ahead = undefined
    return item
  }
}
