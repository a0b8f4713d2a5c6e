import type { CredentialStatus } from '@tillit/credential'
import { addToOutbox, type Database, retryable } from '@tillit/database'
import type { CredentialType } from '@tillit/schemas'
import { type Insertable, type Kysely, type Selectable, sql } from 'kysely'
import {
  type CredentialRecord,
  insertCredentials,
  insertStatusEvents,
  type StatusEventRecord,
} from './insert-credentials.ts'
import { createIssuanceReader, createIssuanceWriter } from './openid4vci/issuance-store.ts'
import { createReader } from './read-store.ts'
import { createStatusListWriter } from './status-list-store.ts'
import type { BulkLine, CompromisedKeyRow, CredentialsTables, IssuedCredentialRow, PartyRow } from './tables.ts'
import { createVcApiReader, createVcApiWriter } from './vc-api/vc-api-store.ts'

type Handle = Kysely<CredentialsTables>

export type IssuedCredential = Omit<Selectable<IssuedCredentialRow>, 'credential' | 'claims' | 'sha256'>

export type { CredentialRecord, StatusEventRecord } from './insert-credentials.ts'

/** Attempts at a transaction that a deadlock or serialization failure broke off. */
const maxAttempts = 4

export type Store = ReturnType<typeof createStore>
export type Writer = ReturnType<typeof createWriter>

/**
 * All SQL of the service. Only `write` hands out what changes something, and then in one transaction; but indexes of status
 * lists may be taken outside of any.
 */
export function createStore(db: Database<CredentialsTables>) {
  const { tryTakeIndexes, closeListWhenHalfFull, openList } = createStatusListWriter(db)
  return {
    ...createReader(db),
    ...createIssuanceReader(db),
    ...createVcApiReader(db),
    ...{ tryTakeIndexes, closeListWhenHalfFull, openList },

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
    ...createIssuanceReader(transaction),
    ...createIssuanceWriter(transaction),
    ...createVcApiWriter(transaction),

    /** Whoever changes a party waits here for whoever else does; the lock ends with the transaction. */
    async lockParty(did: string): Promise<void> {
      await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`party:${did}`}, 0))`.execute(transaction)
    },

    /** Whoever acts as a party keeps whoever changes it waiting, and no other who acts. */
    async holdParty(did: string): Promise<void> {
      await sql`SELECT pg_advisory_xact_lock_shared(hashtextextended(${`party:${did}`}, 0))`.execute(transaction)
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
      event: Omit<Insertable<CredentialsTables['credentials.accreditation_events']>, 'roles' | 'purposes'>,
      accredited: { roles: PartyRow['roles']; purposes: string[] } | null = null,
    ): Promise<void> {
      const { roles = null, purposes = null } = accredited ?? {}
      await transaction
        .insertInto('credentials.accreditation_events')
        .values({ ...event, roles, purposes })
        .execute()
    },

    /** The report, and its commitment on its way to the log. */
    async addCompromisedKey(report: CompromisedKeyRow): Promise<void> {
      const { salt, commitment, ...rest } = report
      await transaction
        .insertInto('credentials.compromised_keys')
        .values({ ...rest, salt: Buffer.from(salt), commitment: Buffer.from(commitment) })
        .execute()
      await addToOutbox(transaction, 'credentials', { kind: 'key-compromise', commitment })
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

    /** What is kept of credentials and what happened to them, in one statement however many they are. */
    addCredentials: (made: readonly { record: CredentialRecord; event: StatusEventRecord }[]) =>
      insertCredentials(transaction, made),

    /** The lines of a run that became credentials. False when somebody else took one of them meanwhile. */
    async addBulkLines(lines: readonly BulkLine[]): Promise<boolean> {
      const { numInsertedOrUpdatedRows } = await transaction
        .insertInto('credentials.bulk_lines')
        .columns(['issuer_did', 'run', 'line', 'sha256', 'credential_id'])
        .expression(
          sql`SELECT * FROM unnest(${lines.map(({ issuer_did }) => issuer_did)}::text[],
            ${lines.map(({ run }) => run)}::text[], ${lines.map(({ line }) => line)}::integer[],
            ${lines.map(({ sha256 }) => Buffer.from(sha256))}::bytea[],
            ${lines.map(({ credential_id }) => credential_id)}::text[])`,
        )
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow()
      return numInsertedOrUpdatedRows === BigInt(lines.length)
    },

    /** A credential that is signed once more has another text. */
    async setDigest(credentialId: string, sha256: Uint8Array): Promise<void> {
      await transaction
        .updateTable('credentials.issued_credentials')
        .set({ sha256: Buffer.from(sha256) })
        .where('id', '=', credentialId)
        .execute()
    },

    addStatusEvents: (events: readonly StatusEventRecord[]) => insertStatusEvents(transaction, events),

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
  }
}

function issued(db: Handle) {
  return db
    .selectFrom('credentials.issued_credentials')
    .select(['id', 'type', 'issuer_did', 'holder', 'metering_point_id', 'status'])
    .select(['status_list_id', 'status_index', 'issued_at', 'expires_at'])
}
