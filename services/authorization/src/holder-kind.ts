import { type CallerKind, standing } from './find-client.ts'
import type { Store } from './store.ts'

/**
 * What kind of caller the holder of an offer is. A customer is one by the offer, also before their first sign-in here; a DID
 * has to be in good standing, else undefined.
 */
export async function holderKind(holder: string, store: Store): Promise<CallerKind | undefined> {
  return holder.startsWith('did:') ? standing(holder, store) : 'customer'
}
