import type { Database } from '@tillit/database'
import { sql } from 'kysely'
import type { PresentationRow, Result, VerifierTables } from './tables.ts'

type Unanswered = Omit<
  PresentationRow,
  'fetched_at' | 'answered_at' | 'outcome' | 'result' | 'response_code_sha256' | 'delete_at'
>

export interface Answer {
  outcome: 'proved' | 'refused' | 'declined'
  result: Result
  responseCodeSha256: Uint8Array | null
}

export type Store = ReturnType<typeof createStore>

/** All SQL of the service. */
export function createStore(db: Database<VerifierTables>) {
  return {
    add(presentation: Unanswered): Promise<PresentationRow> {
      const delete_at = new Date(presentation.expires_at.getTime() + presentation.keep_result_seconds * 1000)
      return db
        .insertInto('verifier.presentations')
        .values({ ...presentation, delete_at })
        .returningAll()
        .executeTakeFirstOrThrow()
    },

    async countOpen(askedBy: string, now: Date): Promise<number> {
      const { count } = await db
        .selectFrom('verifier.presentations')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('asked_by', '=', askedBy)
        .where('answered_at', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirstOrThrow()
      return count
    },

    /** What an organisation asked for, until it is deleted. */
    find(id: string, askedBy: string, now: Date): Promise<PresentationRow | undefined> {
      return db
        .selectFrom('verifier.presentations')
        .selectAll()
        .where('id', '=', id)
        .where('asked_by', '=', askedBy)
        .where('delete_at', '>', now)
        .executeTakeFirst()
    },

    /** The request as a wallet knows it, also when it was answered or has expired. */
    findRequest(requestId: string, now: Date): Promise<PresentationRow | undefined> {
      return db
        .selectFrom('verifier.presentations')
        .selectAll()
        .where('request_id', '=', requestId)
        .where('delete_at', '>', now)
        .executeTakeFirst()
    },

    async markFetched(id: string, now: Date): Promise<void> {
      await db
        .updateTable('verifier.presentations')
        .set({ fetched_at: now })
        .where('id', '=', id)
        .where('fetched_at', 'is', null)
        .execute()
    },

    /** True for the first answer while there is time, and for no other: later ones wait for its row and find it answered. */
    async answer(id: string, { outcome, result, responseCodeSha256 }: Answer, now: Date): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable('verifier.presentations')
        .set({
          outcome,
          result,
          answered_at: now,
          encryption_key: null,
          response_code_sha256: responseCodeSha256 === null ? null : Buffer.from(responseCodeSha256),
          delete_at: sql`${now}::timestamptz + make_interval(secs => keep_result_seconds)`,
        })
        .where('id', '=', id)
        .where('answered_at', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async delete(id: string, askedBy: string): Promise<boolean> {
      const { numDeletedRows } = await db
        .deleteFrom('verifier.presentations')
        .where('id', '=', id)
        .where('asked_by', '=', askedBy)
        .executeTakeFirst()
      return numDeletedRows === 1n
    },

    async deleteDue(now: Date): Promise<void> {
      await db.deleteFrom('verifier.presentations').where('delete_at', '<=', now).execute()
    },
  }
}
