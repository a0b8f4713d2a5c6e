import { Problem } from '@tillit/problem'

/** How far clocks may differ at the time of issue. An expiry gets no grace. */
const skewSeconds = 60

/** Oldest statement about status or keys that is believed where a verifier states no bound of its own, in seconds. */
export const usualStatusAgeSeconds = 60

/**
 * A statement of how things are now ends with its `expires`, and for this verifier with the age that it bears. Throws Problem
 * status-unknown.
 */
export function refuseUnlessRecent(
  { issuedAt, expires }: { issuedAt: Date; expires: Date },
  { now, maxAgeSeconds = usualStatusAgeSeconds }: { now: Date; maxAgeSeconds?: number | undefined },
): void {
  const ageSeconds = (now.getTime() - issuedAt.getTime()) / 1000
  // Written so that a time which is none (NaN) is refused.
  if (!(ageSeconds >= -skewSeconds && expires > now)) {
    throw new Problem('status-unknown', { detail: 'The status list is outside its time' })
  }
  if (!(ageSeconds <= maxAgeSeconds)) {
    throw new Problem('status-unknown', { detail: `The status list is older than ${maxAgeSeconds} s` })
  }
}
