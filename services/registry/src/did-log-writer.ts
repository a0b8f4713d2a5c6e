import { outboxChannel } from '@tillit/database'
import { type Kysely, sql } from 'kysely'
import type { StoredWitnessProof } from './did-store.ts'
import type { NewEntry } from './did-writer.ts'
import type { RegistryTables } from './tables.ts'

/** A whole log that was verified, as it is to be stored. */
export interface NewDidLog {
  readonly slug: string
  readonly entries: readonly [NewEntry, ...NewEntry[]]
  readonly proofs: readonly StoredWitnessProof[]
  /** How many of the entries everybody may see. */
  readonly publishedVersion: number
}

/**
 * Stores all entries of a log, each with its outbox row, and the proofs of its witnesses in one statement, which is one
 * transaction. False, and nothing is written, when the DID or its place is taken or was erased.
 */
export async function insertDidLog(database: Kysely<RegistryTables>, log: NewDidLog): Promise<boolean> {
  const { slug, entries, proofs, publishedVersion } = log
  const newest = entries.at(-1) ?? entries[0]
  const { did, listed, acceptedAt } = newest
  const { rows } = await sql`
    WITH stored AS (
      INSERT INTO registry.dids
        (did, slug, listed, state, log_characters, version_number, published_version, created_at)
      SELECT ${did}::text, ${slug}::text, ${listed}::boolean, ${JSON.stringify(newest.state)}::json,
        ${newest.logBytes}::integer, ${newest.versionNumber}::integer, ${publishedVersion}::integer,
        ${acceptedAt}::timestamptz
      WHERE NOT EXISTS (SELECT FROM registry.erased_dids WHERE did_hash = sha256(convert_to(${did}, 'UTF8')))
        AND NOT EXISTS (SELECT FROM registry.erased_dids WHERE slug_hash = sha256(convert_to(${slug}, 'UTF8')))
      ON CONFLICT DO NOTHING RETURNING did
    ), input AS (
      SELECT stored.did, input.* FROM stored, unnest(
        ${entries.map(({ versionNumber }) => versionNumber)}::integer[],
        ${entries.map(({ versionId }) => versionId)}::text[], ${entries.map(({ line }) => line)}::text[],
        ${entries.map(({ salt }) => Buffer.from(salt))}::bytea[],
        ${entries.map(({ commitment }) => Buffer.from(commitment))}::bytea[],
        ${entries.map(({ forOwnWitness }) => forOwnWitness)}::boolean[]
      ) AS input (version_number, version_id, line, salt, commitment, for_own_witness)
    ), entries AS (
      INSERT INTO registry.did_entries (did, version_number, version_id, line, salt, commitment, accepted_at)
      SELECT did, version_number, version_id, line, salt, commitment, ${acceptedAt}::timestamptz FROM input
    ), leaves AS (
      INSERT INTO registry.outbox (kind, commitment, public_salt)
      SELECT 'did', commitment, CASE WHEN ${listed}::boolean THEN salt END FROM input ORDER BY version_number
    ), duties AS (
      INSERT INTO registry.did_witness_duties (did, version_number, version_id, commitment)
      SELECT did, version_number, version_id, commitment FROM input WHERE for_own_witness
    ), proofs AS (
      INSERT INTO registry.did_witness_proofs (did, version_number, version_id, witness, proof, accepted_at)
      SELECT stored.did, proof.*, ${acceptedAt}::timestamptz FROM stored, unnest(
        ${proofs.map(({ versionNumber }) => versionNumber)}::integer[],
        ${proofs.map(({ versionId }) => versionId)}::text[], ${proofs.map(({ witness }) => witness)}::text[],
        ${proofs.map(({ proof }) => proof)}::text[]
      ) AS proof
      ON CONFLICT DO NOTHING
    )
    SELECT pg_notify(${outboxChannel}, '') FROM stored`.execute(database)
  return rows.length > 0
}
