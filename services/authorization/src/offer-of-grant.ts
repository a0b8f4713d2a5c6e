import { hashId } from './storage-adapter.ts'
import type { Store } from './store.ts'

const model = 'OfferOfGrant'

/** How long a wallet may refresh what it was granted, so that its credentials can be renewed. */
export const walletGrantSeconds = 90 * 24 * 3600

/** Which credential offer a grant came from, for as long as the grant can live; tokens name it. */
export function offersOfGrants(store: Store) {
  return {
    async remember(grantId: string, offerId: string): Promise<void> {
      await store.saveState(model, hashId(grantId), {
        payload: { offer: offerId },
        indexes: { grant_id: null, user_code: null, uid: null },
        lifetimeSeconds: walletGrantSeconds,
      })
    },

    async find(grantId: string): Promise<string | undefined> {
      const offer = (await store.findState(model, 'id', hashId(grantId)))?.payload.offer
      return typeof offer === 'string' ? offer : undefined
    },
  }
}

export type OffersOfGrants = ReturnType<typeof offersOfGrants>
