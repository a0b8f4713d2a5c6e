import type { Database } from '@tillit/database'
import { sql } from 'kysely'
import type { AuthorizationTables } from './store.ts'

/** Wrong transaction codes after which an offer is dead: five tries at six digits find one code in 200,000. */
export const maxWrongTxCodes = 5

/** A credential offer that has neither expired nor been withdrawn. */
export interface Offer {
  id: string
  /** The opaque id of a customer, or a DID. */
  holder: string
  configuration_ids: string[]
  tx_code_sha256: Uint8Array | null
  tx_code_salt: Uint8Array | null
  expires_at: Date
}

export type Redemption =
  | { outcome: 'redeemed' }
  | { outcome: 'wrong-tx-code'; triesLeft: number }
  /** It was redeemed before, or had too many wrong transaction codes. */
  | { outcome: 'dead' }

export type OfferStore = ReturnType<typeof createOfferStore>

/** What the authorization server reads of credential offers, and what it keeps of them. */
export function createOfferStore(db: Database<AuthorizationTables>) {
  const standing = () =>
    db
      .selectFrom('credentials.offer_v1')
      .select(['id', 'holder', 'configuration_ids', 'tx_code_sha256', 'tx_code_salt', 'expires_at'])
      .where('withdrawn', '=', false)
      .where('expires_at', '>', sql<Date>`now()`)

  return {
    findOfferByCode(sha256: Uint8Array): Promise<Offer | undefined> {
      return standing().where('code_sha256', '=', Buffer.from(sha256)).executeTakeFirst()
    },

    findOfferByIssuerState(sha256: Uint8Array): Promise<Offer | undefined> {
      return standing().where('issuer_state_sha256', '=', Buffer.from(sha256)).executeTakeFirst()
    },

    /** An offer that its issuer forgot after it had expired is not withdrawn. */
    async isWithdrawn(offerId: string): Promise<boolean> {
      const row = await db
        .selectFrom('credentials.offer_v1')
        .select('withdrawn')
        .where('id', '=', offerId)
        .executeTakeFirst()
      return row?.withdrawn === true
    },

    /**
     * Redeems an offer, or counts a wrong transaction code. It is one statement, so that whatever arrives at once is settled
     * one after the other: a code is redeemed once, and never after too many wrong ones.
     */
    async redeem(offer: Pick<Offer, 'id' | 'expires_at'>, txCodeIsRight: boolean): Promise<Redemption> {
      const { rows } = await sql<{ wrong_tx_codes: number }>`
        insert into "authorization".offer_redemptions as known (offer_id, wrong_tx_codes, redeemed_at, expires_at)
        values (${offer.id}, ${txCodeIsRight ? 0 : 1}, case when ${txCodeIsRight}::boolean then now() end,
                ${offer.expires_at})
        on conflict (offer_id) do update set
          wrong_tx_codes = known.wrong_tx_codes + excluded.wrong_tx_codes,
          redeemed_at = excluded.redeemed_at
        where known.redeemed_at is null and known.wrong_tx_codes < ${maxWrongTxCodes}
        returning wrong_tx_codes
      `.execute(db)
      const [row] = rows
      if (!row) return { outcome: 'dead' }
      if (txCodeIsRight) return { outcome: 'redeemed' }
      return { outcome: 'wrong-tx-code', triesLeft: maxWrongTxCodes - row.wrong_tx_codes }
    },
  }
}
