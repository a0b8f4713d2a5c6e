import { type ResolveDid, resolveDocument } from '@tillit/credential'
import { verificationKeys } from '@tillit/did'
import type { Caller } from '@tillit/http'
import { type PublicKey, thumbprint } from '@tillit/keys'
import { Problem } from '@tillit/problem'

/**
 * People may bind a credential to any key. A caller with a DID may bind it to keys of its own only: those that its document lists
 * for authentication. Throws Problem key-not-bound and what resolving throws.
 */
export async function requireKeysOf(caller: Caller, keys: readonly PublicKey[], resolveDid: ResolveDid): Promise<void> {
  if (caller.kind === 'customer') return
  const listed = verificationKeys(await resolveDocument(caller.id, resolveDid), 'authentication')
  const own = new Set(listed.map(({ key }) => thumbprint(key)))
  if (!keys.every((key) => own.has(thumbprint(key)))) {
    throw new Problem('key-not-bound', { detail: 'The key is not in the DID document of the caller' })
  }
}
