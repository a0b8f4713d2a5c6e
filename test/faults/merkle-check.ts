import { createHash } from 'node:crypto'

function sha256(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

/** The root of the first `size` entries (RFC 9162 section 2.1.1), written once more so that it shares no mistake. */
export function rootOf(entries: readonly Uint8Array[], size = entries.length): string {
  const root = (from: number, to: number): Buffer => {
    const [only] = entries.slice(from, to)
    if (only === undefined) return sha256()
    if (to - from === 1) return sha256(leafPrefix, only)
    let left = 1
    while (left * 2 < to - from) left *= 2
    return sha256(nodePrefix, root(from, from + left), root(from + left, to))
  }
  return root(0, size).toString('hex')
}

/** The entries of a bundle (C2SP tlog-tiles): each after its length in two bytes. */
export function entriesOf(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = []
  for (let at = 0; at < bundle.length; ) {
    const length = ((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0)
    entries.push(bundle.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return entries
}
