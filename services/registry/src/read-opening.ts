import { parseJson, toBase64url, toHex } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { Opening } from '@tillit/schemas'
import type { DidStore } from './did-store.ts'

/**
 * What opens a commitment that belongs to a listed DID. Throws Problem log-entry-not-found for every other one, whether it
 * exists or not.
 */
export async function readOpening(commitment: Uint8Array, store: Pick<DidStore, 'readListedEntry'>): Promise<Opening> {
  const found = await store.readListedEntry(commitment)
  const entry = found === null ? null : parseJson(found.line)
  if (found === null || entry === null || typeof entry !== 'object' || Array.isArray(entry)) {
    throw new Problem('log-entry-not-found', { detail: 'No listed entry has this commitment' })
  }
  return { kind: 'did', entry, salt: toBase64url(found.salt), commitment: toHex(commitment) }
}
