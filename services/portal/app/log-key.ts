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

/** Trusts the key from now on: the customer found out why it changed. */
export function replaceLogKey(named: string, storage: Storage = localStorage, now = new Date()): LogKey {
  const since = now.toISOString()
  storage.setItem(storageKey, `${since} ${named}`)
  return { vkey: named, since, changed: false }
}
