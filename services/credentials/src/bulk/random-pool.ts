/** Asking the system takes longer than what is done with a salt, so it is asked for many at once. In bytes. */
const poolBytes = 16_384

/** Random bytes cut from larger draws; none is given twice. */
export function randomPool(randomBytes: (length: number) => Uint8Array): (length: number) => Uint8Array {
  let pool = new Uint8Array(0)
  let used = 0
  return (length) => {
    if (length > poolBytes) return randomBytes(length)
    if (used + length > pool.length) {
      pool = new Uint8Array(randomBytes(poolBytes))
      used = 0
    }
    used += length
    return pool.slice(used - length, used)
  }
}
