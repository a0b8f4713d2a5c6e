/** Most proofs remembered at once: 60 s of 5,000 requests a second. */
const maxRemembered = 300_000

export interface ReplayStore {
  /** True the first time a value is seen before its expiry, false on a replay or when nothing more can be remembered. */
  remember(value: string, expiresAtMilliseconds: number, nowMilliseconds: number): boolean
}

/** Remembers in this process. Full means refuse: an attacker must not push old proofs out. */
export function createReplayStore(capacity = maxRemembered): ReplayStore {
  const seen = new Map<string, number>()
  return {
    remember(value, expiresAt, now) {
      const known = seen.get(value)
      if (known !== undefined && known > now) return false
      if (seen.size >= capacity) forgetExpired(seen, now)
      if (seen.size >= capacity) return false
      seen.delete(value)
      seen.set(value, expiresAt)
      return true
    },
  }
}

function forgetExpired(seen: Map<string, number>, now: number): void {
  for (const [value, expiresAt] of seen) if (expiresAt <= now) seen.delete(value)
}
