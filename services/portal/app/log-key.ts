import { parseVerifierKey, verifyCheckpoint } from '@tillit/log'
import { isProblem } from '@tillit/problem'

/** One city to an origin, and one storage to an origin: the key is kept once per city. */
const storageKey = 'tillit-log-key'

export interface LogKey {
  /** The key that this browser saw first, which proofs are held against. */
  vkey: string
  /** When that was: an ISO 8601 instant. */
  since: string
  /** The city now names another one. */
  changed: boolean
}

/** Trust on first use: keeps the first key that the city named, and says whether it names the same one still. */
export function holdLogKey(named: string, storage: Storage = localStorage, now = new Date()): LogKey {
  const kept = storage.getItem(storageKey)
  if (kept === null) return replaceLogKey(named, storage, now)
  const [since = '', ...rest] = kept.split(' ')
  // The name in a verifier key holds no space, but what was put in storage by another hand may.
  const vkey = rest.join(' ')
  return { vkey, since, changed: vkey !== named }
}

/**
 * Follows the log to the key that it names now, when the key that is held has signed a checkpoint together with it: then the
 * old key itself says which log goes on. Otherwise what is held stays as it is, for the customer to decide.
 */
export function followLogKey(
  held: LogKey,
  { named, checkpoint }: { named: string; checkpoint: string },
  storage: Storage = localStorage,
  now = new Date(),
): LogKey {
  const bothSigned = [held.vkey, named].every((vkey) => hasSigned(vkey, checkpoint))
  return held.changed && bothSigned ? replaceLogKey(named, storage, now) : held
}

function hasSigned(vkey: string, checkpoint: string): boolean {
  try {
    verifyCheckpoint(checkpoint, parseVerifierKey(vkey))
    return true
  } catch (error) {
    if (isProblem(error)) return false
    throw error
  }
}

/** Trusts the key from now on: the customer found out why it changed, or the old key vouches for it. */
export function replaceLogKey(named: string, storage: Storage = localStorage, now = new Date()): LogKey {
  const since = now.toISOString()
  storage.setItem(storageKey, `${since} ${named}`)
  return { vkey: named, since, changed: false }
}
