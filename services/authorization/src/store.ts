import type { Database } from '@tillit/database'
import { type Insertable, sql } from 'kysely'

interface OauthStateTable {
  model: string
  id: string
  payload: Record<string, unknown>
  grant_id: string | null
  user_code: string | null
  uid: string | null
  expires_at: Date
  consumed_at: Date | null
}

interface PersonsTable {
  customer_id: string
  eid: string
  subject: string
}

/** What the credentials service publishes of its offers. */
interface OfferView {
  id: string
  code_sha256: Uint8Array | null
  issuer_state_sha256: Uint8Array | null
  tx_code_sha256: Uint8Array | null
  tx_code_salt: Uint8Array | null
  holder: string
  configuration_ids: string[]
  expires_at: Date
  withdrawn: boolean
}

/** Own tables, and the views other services publish. */
export interface AuthorizationTables {
  'authorization.oauth_state': OauthStateTable
  'authorization.persons': PersonsTable
  'authorization.offer_redemptions': {
    offer_id: string
    wrong_tx_codes: number
    redeemed_at: Date | null
    expires_at: Date
  }
  'credentials.offer_v1': OfferView
  'credentials.party_v1': { did: string; status: string }
  'metering.device_v1': { did: string; status: string }
}

/** How a model's rows are found: by the hash of the secret, or by a second index that is no secret. */
export type StateIndex = 'id' | 'uid' | 'user_code'

export interface State {
  payload: Record<string, unknown>
  consumedAt: Date | null
}

export type StateIndexes = Pick<OauthStateTable, 'grant_id' | 'user_code' | 'uid'>

export const purgedTables = ['oauth_state', 'offer_redemptions'] as const
type PurgedTable = (typeof purgedTables)[number]

export type Store = ReturnType<typeof createStore>

/** All SQL of the service. Expiry runs on the database's clock only: lifetimes come in, `now()` is asked there. */
export function createStore(db: Database<AuthorizationTables>) {
  const live = (model: string) =>
    db.selectFrom('authorization.oauth_state').where('model', '=', model).where('expires_at', '>', sql<Date>`now()`)

  return {
    async findState(model: string, index: StateIndex, value: string): Promise<State | undefined> {
      const row = await live(model).where(index, '=', value).select(['payload', 'consumed_at']).executeTakeFirst()
      return row && { payload: row.payload, consumedAt: row.consumed_at }
    },

    async saveState(
      model: string,
      id: string,
      state: { payload: Record<string, unknown>; indexes: StateIndexes; lifetimeSeconds: number },
    ): Promise<void> {
      const row = { payload: json(state.payload), ...state.indexes, expires_at: expiry(state.lifetimeSeconds) }
      await db
        .insertInto('authorization.oauth_state')
        .values({ model, id, consumed_at: null, ...row })
        .onConflict((conflict) => conflict.columns(['model', 'id']).doUpdateSet(row))
        .execute()
    },

    /** Whether the id was new. One statement, so of two requests with the same id one wins. */
    async claimOnce(model: string, id: string, lifetimeSeconds: number): Promise<boolean> {
      const row = { payload: json({}), expires_at: expiry(lifetimeSeconds) }
      const claimed = await db
        .insertInto('authorization.oauth_state')
        .values({ model, id, grant_id: null, user_code: null, uid: null, consumed_at: null, ...row })
        .onConflict((conflict) =>
          conflict
            .columns(['model', 'id'])
            .doUpdateSet(row)
            .where('authorization.oauth_state.expires_at', '<=', sql<Date>`now()`),
        )
        .returning('id')
        .executeTakeFirst()
      return claimed !== undefined
    },

    /** Whether this call was the one that consumed it. */
    async consumeState(model: string, id: string): Promise<boolean> {
      const result = await db
        .updateTable('authorization.oauth_state')
        .set({ consumed_at: sql<Date>`now()` })
        .where('model', '=', model)
        .where('id', '=', id)
        .where('consumed_at', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },

    async deleteState(model: string, id: string): Promise<void> {
      await db.deleteFrom('authorization.oauth_state').where('model', '=', model).where('id', '=', id).execute()
    },

    async deleteStateOfGrant(model: string, grantId: string): Promise<void> {
      await db
        .deleteFrom('authorization.oauth_state')
        .where('model', '=', model)
        .where('grant_id', '=', grantId)
        .execute()
    },

    /** Deletes at most `limit` expired rows of a table and tells how many, so that one purge never holds many locks. */
    async purgeExpired(table: PurgedTable, limit: number): Promise<number> {
      const name = sql.table(`authorization.${table}`)
      const result = await sql`
        delete from ${name}
        where ctid = any (array(select ctid from ${name} where expires_at <= now() limit ${limit} for update skip locked))
      `.execute(db)
      return Number(result.numAffectedRows ?? 0n)
    },

    /** The customer behind an electronic identity; on the first sign-in the proposed id is theirs from then on. */
    async customerOf(person: Insertable<PersonsTable>): Promise<string> {
      await db
        .insertInto('authorization.persons')
        .values(person)
        .onConflict((conflict) => conflict.columns(['eid', 'subject']).doNothing())
        .execute()
      const row = await db
        .selectFrom('authorization.persons')
        .where('eid', '=', person.eid)
        .where('subject', '=', person.subject)
        .select('customer_id')
        .executeTakeFirstOrThrow()
      return row.customer_id
    },

    async customerExists(customerId: string): Promise<boolean> {
      const row = await db
        .selectFrom('authorization.persons')
        .where('customer_id', '=', customerId)
        .select('customer_id')
        .executeTakeFirst()
      return row !== undefined
    },

    async isActiveParty(did: string): Promise<boolean> {
      const row = await db
        .selectFrom('credentials.party_v1')
        .where('did', '=', did)
        .where('status', '=', 'ACTIVE')
        .select('did')
        .executeTakeFirst()
      return row !== undefined
    },

    async isActiveDevice(did: string): Promise<boolean> {
      const row = await db
        .selectFrom('metering.device_v1')
        .where('did', '=', did)
        .where('status', '=', 'ACTIVE')
        .select('did')
        .executeTakeFirst()
      return row !== undefined
    },
  }
}

/** Written as text, because the driver would take an array for a PostgreSQL array. */
function json(value: Record<string, unknown>) {
  return sql<Record<string, unknown>>`${JSON.stringify(value)}::jsonb`
}

function expiry(lifetimeSeconds: number) {
  return sql<Date>`now() + make_interval(secs => ${lifetimeSeconds})`
}
