import { outboxChannel } from '@tillit/database'
import { type Kysely, type Selectable, sql } from 'kysely'
import type { CredentialsTables, IssuedCredentialRow } from './tables.ts'

export type CredentialRecord = Selectable<IssuedCredentialRow>

/** What opens a commitment, and the commitment. */
export interface StatusEventRecord {
  credentialId: string
  /** Its RFC 8785 form. */
  entry: string
  salt: Uint8Array
  commitment: Uint8Array
}

/** Records credentials and what happened to them: one statement, since each takes as long as many rows. */
export async function insertCredentials(
  transaction: Kysely<CredentialsTables>,
  made: readonly { record: CredentialRecord; event: StatusEventRecord }[],
): Promise<void> {
  const records = made.map(({ record }) => record)
  const column = <Name extends keyof CredentialRecord>(name: Name) => records.map((record) => record[name])
  await sql`
    WITH credential AS (
      INSERT INTO credentials.issued_credentials (id, type, issuer_did, holder, metering_point_id, status, status_list_id,
        status_index, issued_at, expires_at, sha256, credential, claims)
      SELECT * FROM unnest(${column('id')}::text[], ${column('type')}::text[], ${column('issuer_did')}::text[],
        ${column('holder')}::text[], ${column('metering_point_id')}::text[], ${column('status')}::text[],
        ${column('status_list_id')}::integer[], ${column('status_index')}::integer[],
        ${column('issued_at')}::timestamptz[], ${column('expires_at')}::timestamptz[],
        ${column('sha256').map(toBuffer)}::bytea[], ${column('credential')}::text[],
        ${column('claims').map((claims) => (claims === null ? null : JSON.stringify(claims)))}::jsonb[])
    ), ${eventsAndLeaves(made.map(({ event }) => event))}
    SELECT pg_notify(${outboxChannel}, '')`.execute(transaction)
}

/** What opens each commitment, and the commitments themselves on their way to the log. */
export async function insertStatusEvents(
  transaction: Kysely<CredentialsTables>,
  events: readonly StatusEventRecord[],
): Promise<void> {
  await sql`WITH ${eventsAndLeaves(events)} SELECT pg_notify(${outboxChannel}, '')`.execute(transaction)
}

function eventsAndLeaves(events: readonly StatusEventRecord[]) {
  return sql`event AS (
      INSERT INTO credentials.status_events (credential_id, entry, salt, commitment)
      SELECT * FROM unnest(${events.map(({ credentialId }) => credentialId)}::text[],
        ${events.map(({ entry }) => entry)}::jsonb[], ${events.map(({ salt }) => toBuffer(salt))}::bytea[],
        ${events.map(({ commitment }) => toBuffer(commitment))}::bytea[])
      RETURNING commitment
    ), leaf AS (
      INSERT INTO credentials.outbox (kind, commitment) SELECT 'credential-status', commitment FROM event
    )`
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
