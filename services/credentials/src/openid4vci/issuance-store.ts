import type { CredentialType, NotificationEvent, PublicJwk } from '@tillit/schemas'
import type { ColumnType, Insertable, Kysely, Selectable } from 'kysely'
import type { CredentialsTables } from '../tables.ts'

type Handle = Kysely<CredentialsTables>

export interface OfferRow {
  id: string
  offered_by: string
  holder: string
  configuration_ids: string[]
  resource: string | null
  claims: ColumnType<Record<string, unknown> | null, string | null>
  code_sha256: Uint8Array | null
  issuer_state_sha256: Uint8Array | null
  tx_code_salt: Uint8Array | null
  tx_code_sha256: Uint8Array | null
  created_at: Date
  expires_at: Date
  withdrawn_at: Date | null
  redeemed_at: Date | null
}

export interface DeferredIssuanceRow {
  sha256: Uint8Array
  holder: string
  configuration_id: string
  offer_id: string
  keys: ColumnType<PublicJwk[], string>
  expires_at: Date
}

export interface NotificationRow {
  sha256: Uint8Array
  holder: string
  credential_ids: string[]
  expires_at: Date
}

export interface IssuanceTables {
  'credentials.offers': OfferRow
  'credentials.deferred_issuances': DeferredIssuanceRow
  'credentials.notifications': NotificationRow
  'credentials.notification_events': { sha256: Uint8Array; event: NotificationEvent; at: Date }
}

export type StoredOffer = Selectable<OfferRow>
/** With every column, and the claims as JSON text. */
export type NewOfferRow = Required<Insertable<OfferRow>>

/** What issuing by OpenID4VCI asks the database, on its pool or inside a transaction. */
export function createIssuanceReader(db: Handle) {
  return {
    offer(id: string): Promise<StoredOffer | undefined> {
      return db.selectFrom('credentials.offers').selectAll().where('id', '=', id).executeTakeFirst()
    },

    listOffers(offeredBy: string, after: string, limit: number): Promise<StoredOffer[]> {
      return db
        .selectFrom('credentials.offers')
        .selectAll()
        .where('offered_by', '=', offeredBy)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
    },

    /** The metering points about which the holder has a valid credential of that type. */
    async resourcesHeld(holder: string, type: CredentialType): Promise<Set<string | null>> {
      const rows = await db
        .selectFrom('credentials.issued_credentials')
        .select('metering_point_id')
        .distinct()
        .where('holder', '=', holder)
        .where('type', '=', type)
        .where('status', '=', 'valid')
        .execute()
      return new Set(rows.map((row) => row.metering_point_id))
    },

    notification(sha256: Uint8Array): Promise<{ holder: string } | undefined> {
      return db
        .selectFrom('credentials.notifications')
        .select('holder')
        .where('sha256', '=', Buffer.from(sha256))
        .executeTakeFirst()
    },
  }
}

export function createIssuanceWriter(transaction: Handle) {
  return {
    async addOffer(offer: NewOfferRow): Promise<void> {
      await transaction
        .insertInto('credentials.offers')
        .values({
          ...offer,
          code_sha256: bytea(offer.code_sha256),
          issuer_state_sha256: bytea(offer.issuer_state_sha256),
          tx_code_salt: bytea(offer.tx_code_salt),
          tx_code_sha256: bytea(offer.tx_code_sha256),
        })
        .execute()
    },

    /** False when there is no such offer of theirs. The first time counts. */
    async withdrawOffer(id: string, { offeredBy, at }: { offeredBy: string; at: Date }): Promise<boolean> {
      const row = await transaction
        .updateTable('credentials.offers')
        .set((eb) => ({ withdrawn_at: eb.fn.coalesce('withdrawn_at', eb.val(at)), claims: null }))
        .where('id', '=', id)
        .where('offered_by', '=', offeredBy)
        .returning('id')
        .executeTakeFirst()
      return row !== undefined
    },

    /** The offer, locked until the end of the transaction: a withdrawal comes before or after, never between. */
    lockOffer(id: string): Promise<StoredOffer | undefined> {
      return transaction
        .selectFrom('credentials.offers')
        .selectAll()
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst()
    },

    async markRedeemed(id: string, at: Date): Promise<void> {
      await transaction
        .updateTable('credentials.offers')
        .set({ redeemed_at: at })
        .where('id', '=', id)
        .where('redeemed_at', 'is', null)
        .execute()
    },

    async addDeferredIssuance(row: Insertable<DeferredIssuanceRow>): Promise<void> {
      await transaction
        .insertInto('credentials.deferred_issuances')
        .values({ ...row, sha256: Buffer.from(row.sha256) })
        .execute()
    },

    /** Locked until the end of the transaction, so that of two requests at once the second finds none. */
    deferredIssuance(
      sha256: Uint8Array,
      { holder, now }: { holder: string; now: Date },
    ): Promise<Selectable<DeferredIssuanceRow> | undefined> {
      return transaction
        .selectFrom('credentials.deferred_issuances')
        .selectAll()
        .where('sha256', '=', Buffer.from(sha256))
        .where('holder', '=', holder)
        .where('expires_at', '>', now)
        .forUpdate()
        .executeTakeFirst()
    },

    async endDeferredIssuance(sha256: Uint8Array): Promise<void> {
      await transaction.deleteFrom('credentials.deferred_issuances').where('sha256', '=', Buffer.from(sha256)).execute()
    },

    async addNotification(row: NotificationRow): Promise<void> {
      await transaction
        .insertInto('credentials.notifications')
        .values({ ...row, sha256: Buffer.from(row.sha256) })
        .execute()
    },

    /** The same event again changes nothing. */
    async addNotificationEvent(row: { sha256: Uint8Array; event: NotificationEvent; at: Date }): Promise<void> {
      await transaction
        .insertInto('credentials.notification_events')
        .values({ ...row, sha256: Buffer.from(row.sha256) })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },

    /** What nobody will ask for again. */
    async purgeIssuance({ now, offersExpiredBefore }: { now: Date; offersExpiredBefore: Date }): Promise<void> {
      await transaction.deleteFrom('credentials.deferred_issuances').where('expires_at', '<=', now).execute()
      await transaction.deleteFrom('credentials.notifications').where('expires_at', '<=', now).execute()
      await transaction
        .deleteFrom('credentials.offers')
        .where('expires_at', '<=', offersExpiredBefore)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('credentials.deferred_issuances as d')
                .select('d.offer_id')
                .whereRef('d.offer_id', '=', 'credentials.offers.id'),
            ),
          ),
        )
        .execute()
    },
  }
}

function bytea(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes)
}
