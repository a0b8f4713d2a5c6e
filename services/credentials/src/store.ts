import type { CredentialStatus } from '@tillit/credential'
import { addToOutbox, type Database, retryable } from '@tillit/database'
import type { CredentialType, StatusEvent } from '@tillit/schemas'
import { type Insertable, type Kysely, type Selectable, sql } from 'kysely'
import { createReader } from './read-store.ts'
import { createStatusListWriter } from './status-list-store.ts'
import type { CredentialsTables, IssuedCredentialRow, PartyRow } from './tables.ts'

type Handle = Kysely<CredentialsTables>

export type IssuedCredential = Omit<Selectable<IssuedCredentialRow>, 'credential' | 'claims' | 'sha256'>

/** Attempts at a transaction that a deadlock or serialization failure broke off. */
const maxAttempts = 4

export type Store = ReturnType<typeof createStore>
export type Writer = ReturnType<typeof createWriter>

/** All SQL of the service. Only `write` hands out what changes something, and then in one transaction. */
export function createStore(db: Database<CredentialsTables>) {
  return {
    ...createReader(db),

    /** Runs the work in a transaction, again from its start when the database had to break it off; it must not act outside. */
    async write<T>(work: (writer: Writer) => Promise<T>): Promise<T> {
      for (let attempt = 1; ; attempt++) {
        try {
          return await db.transaction().execute((transaction) => work(createWriter(transaction)))
        } catch (error) {
          if (attempt === maxAttempts || !retryable(error)) throw error
        }
      }
    },

    async addNonce(sha256: Uint8Array, expiresAt: Date): Promise<void> {
      await db
        .insertInto('credentials.nonces')
        .values({ sha256: Buffer.from(sha256), expires_at: expiresAt })
        .execute()
    },

    async purgeNonces(expiredAt: Date): Promise<void> {
      await db.deleteFrom('credentials.nonces').where('expires_at', '<=', expiredAt).execute()
    },
  }
}

function createWriter(transaction: Handle) {
  return {
    ...createReader(transaction),
    ...createStatusListWriter(transaction),

    /** Whoever changes a party waits here for whoever else does; the lock ends with the transaction. */
    async lockParty(did: string): Promise<void> {
      await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`party:${did}`}, 0))`.execute(transaction)
    },

    async saveParty(party: Insertable<PartyRow>): Promise<void> {
      const { did: _, ...changes } = party
      await transaction
        .insertInto('credentials.parties')
        .values(party)
        .onConflict((conflict) => conflict.column('did').doUpdateSet(changes))
        .execute()
    },

    async setPartyStatus(did: string, status: PartyRow['status'], at: Date): Promise<void> {
      await transaction
        .updateTable('credentials.parties')
        .set({ status, changed_at: at })
        .where('did', '=', did)
        .execute()
    },

    async addAccreditationEvent(
      event: Insertable<CredentialsTables['credentials.accreditation_events']>,
    ): Promise<void> {
      await transaction.insertInto('credentials.accreditation_events').values(event).execute()
    },

    /** True once: two requests with the same nonce wait for each other on its row. */
    async consumeNonce(sha256: Uint8Array, now: Date): Promise<boolean> {
      const row = await transaction
        .deleteFrom('credentials.nonces')
        .where('sha256', '=', Buffer.from(sha256))
        .where('expires_at', '>', now)
        .returning('expires_at')
        .executeTakeFirst()
      return row !== undefined
    },

    async addCredential(credential: Insertable<IssuedCredentialRow>): Promise<void> {
      await transaction
        .insertInto('credentials.issued_credentials')
        .values({ ...credential, sha256: Buffer.from(credential.sha256) })
        .execute()
    },

    /** Locks the credential until the end of the transaction. */
    credential(id: string): Promise<IssuedCredential | undefined> {
      return issued(transaction).where('id', '=', id).forUpdate().executeTakeFirst()
    },

    credentialsOf(holder: string, type: CredentialType): Promise<IssuedCredential[]> {
      return issued(transaction)
        .where('holder', '=', holder)
        .where('type', '=', type)
        .orderBy('id')
        .forUpdate()
        .execute()
    },

    /** In the list and in the register at once. */
    async setStatus(credential: IssuedCredential, status: CredentialStatus): Promise<void> {
      await transaction
        .updateTable('credentials.issued_credentials')
        .set({ status })
        .where('id', '=', credential.id)
        .execute()
      await createStatusListWriter(transaction).setBits(credential.status_list_id, credential.status_index, status)
    },

    /** Unlinks what happened to a credential from its leaves in the log, for good. Gives how many entries were linked. */
    async eraseStatusSalts(credentialId: string): Promise<number> {
      const { numUpdatedRows } = await transaction
        .updateTable('credentials.status_events')
        .set({ salt: null })
        .where('credential_id', '=', credentialId)
        .where('salt', 'is not', null)
        .executeTakeFirst()
      return Number(numUpdatedRows)
    },

    /** What opens the commitment, and the commitment itself on its way to the log. */
    async addStatusEvent(event: {
      credentialId: string
      entry: StatusEvent
      salt: Uint8Array
      commitment: Uint8Array
    }): Promise<void> {
      const { credentialId, entry, salt, commitment } = event
      await transaction
        .insertInto('credentials.status_events')
        .values({
          credential_id: credentialId,
          entry,
          salt: Buffer.from(salt),
          commitment: Buffer.from(commitment),
        })
        .execute()
      await addToOutbox(transaction, 'credentials', { kind: 'credential-status', commitment })
    },
  }
}

function issued(db: Handle) {
  return db
    .selectFrom('credentials.issued_credentials')
    .select(['id', 'type', 'issuer_did', 'holder', 'metering_point_id', 'status'])
    .select(['status_list_id', 'status_index', 'issued_at', 'expires_at'])
}
