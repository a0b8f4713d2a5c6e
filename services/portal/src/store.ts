import type { Database } from '@tillit/database'

interface SessionsTable {
  id: Buffer
  sealed: Buffer
  created_at: Date
  used_at: Date
  expires_at: Date
}

export interface PortalTables {
  'portal.sessions': SessionsTable
}

export type StoredSession = SessionsTable

export type Store = ReturnType<typeof createStore>

/** All SQL of the service. */
export function createStore(db: Database<PortalTables>) {
  return {
    async add(session: StoredSession): Promise<void> {
      await db.insertInto('portal.sessions').values(session).execute()
    },

    async find(id: Uint8Array, now: Date): Promise<StoredSession | undefined> {
      return db
        .selectFrom('portal.sessions')
        .selectAll()
        .where('id', '=', Buffer.from(id))
        .where('expires_at', '>', now)
        .executeTakeFirst()
    },

    /** Gives what was there and removes it, so that it can be used once. */
    async take(id: Uint8Array, now: Date): Promise<StoredSession | undefined> {
      return db
        .deleteFrom('portal.sessions')
        .where('id', '=', Buffer.from(id))
        .where('expires_at', '>', now)
        .returningAll()
        .executeTakeFirst()
    },

    async update(id: Uint8Array, change: Partial<Pick<StoredSession, 'sealed' | 'used_at' | 'expires_at'>>) {
      await db.updateTable('portal.sessions').set(change).where('id', '=', Buffer.from(id)).execute()
    },

    async remove(id: Uint8Array): Promise<void> {
      await db.deleteFrom('portal.sessions').where('id', '=', Buffer.from(id)).execute()
    },

    async removeExpired(now: Date): Promise<void> {
      await db.deleteFrom('portal.sessions').where('expires_at', '<=', now).execute()
    },
  }
}
