import type { RegistryPorts } from './ports.ts'

/** How long an answer may be older than what another process wrote meanwhile; one's own writes are seen at once. */
const maxAgeMilliseconds = 1000
const maxAnswers = 5000
const maxBytes = 32 * 1024 * 1024

/**
 * Answers about the DIDs that live here, as they go over the wire: hot DIDs are asked for again and again. Bounded in number,
 * size and age.
 */
export interface AnswerCache<Answer> {
  find(key: string): Answer | undefined
  /** Gives the answer, and keeps it if nothing was written to the DID while it was made and `keeps` says so. */
  make(of: { key: string; did: string }, answer: () => Promise<Answer>): Promise<Answer>
  /** The DID was written to. */
  forget(did: string): void
}

interface Kept<Answer> {
  readonly answer: Answer
  readonly did: string
  readonly bytes: number
  readonly endsAt: number
}

export function createAnswerCache<Answer extends { readonly body: Uint8Array }>(
  { now }: Pick<RegistryPorts, 'now'>,
  keeps: (answer: Answer) => boolean,
): AnswerCache<Answer> {
  const kept = new Map<string, Kept<Answer>>()
  const keysOf = new Map<string, Set<string>>()
  /** Answers under way, by DID; a write empties the set, so that none of them is kept. */
  const underWay = new Map<string, Set<symbol>>()
  let bytes = 0

  return {
    find(key) {
      const known = kept.get(key)
      if (known === undefined) return undefined
      const left = known.endsAt - now().getTime()
      // A clock that was set back must not keep an answer for longer.
      if (left > 0 && left <= maxAgeMilliseconds) return known.answer
      drop(key)
      return undefined
    },
    async make({ key, did }, answer) {
      const mark = Symbol()
      const marks = underWay.get(did) ?? new Set()
      underWay.set(did, marks.add(mark))
      const askedAt = now().getTime()
      try {
        const made = await answer()
        if (marks.has(mark) && keeps(made)) {
          // The key is as long as whoever asks likes.
          keep(key, { answer: made, did, bytes: key.length + made.body.length, endsAt: askedAt + maxAgeMilliseconds })
        }
        return made
      } finally {
        marks.delete(mark)
        if (marks.size === 0 && underWay.get(did) === marks) underWay.delete(did)
      }
    },
    forget(did) {
      underWay.get(did)?.clear()
      for (const key of [...(keysOf.get(did) ?? [])]) drop(key)
    },
  }

  function keep(key: string, entry: Kept<Answer>): void {
    drop(key)
    kept.set(key, entry)
    keysOf.set(entry.did, (keysOf.get(entry.did) ?? new Set()).add(key))
    bytes += entry.bytes
    for (const oldest of kept.keys()) {
      if (kept.size <= maxAnswers && bytes <= maxBytes) return
      drop(oldest)
    }
  }

  function drop(key: string): void {
    const entry = kept.get(key)
    if (entry === undefined) return
    kept.delete(key)
    bytes -= entry.bytes
    const keys = keysOf.get(entry.did)
    keys?.delete(key)
    if (keys?.size === 0) keysOf.delete(entry.did)
  }
}
