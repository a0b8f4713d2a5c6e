import type { PublicKey } from './public-key.ts'

const maxYoung = 5000

/**
 * Keys by name, at most twice `maxYoung`: when the young ones are that many they grow old together, and those that nobody asked
 * for meanwhile are forgotten together. To forget one at a time costs a Map a search for its oldest member each time.
 */
export class RecentKeys {
  #young = new Map<string, PublicKey>()
  #old = new Map<string, PublicKey>()

  get(name: string): PublicKey | undefined {
    const young = this.#young.get(name)
    if (young !== undefined) return young
    const old = this.#old.get(name)
    if (old !== undefined) this.set(name, old)
    return old
  }

  set(name: string, key: PublicKey): void {
    if (this.#young.size >= maxYoung) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, key)
  }
}
