import { type Database, outboxChannel, prepared } from '@tillit/database'
import type { DidState } from '@tillit/did'
import { hashBytes, saltBytes } from '@tillit/log'
import { type Kysely, sql } from 'kysely'
import { asArray, asLines, asRun } from './columns.ts'
import { insertDidLog, type NewDidLog } from './did-log-writer.ts'
import type { StoredDid, StoredEntry, StoredWitnessProof } from './did-store.ts'
import type { RegistryTables } from './tables.ts'

/** An entry that was verified and follows, as it is to be stored. */
export interface NewEntry extends StoredEntry {
  readonly listed: boolean
  /** The state after it. */
  readonly state: DidState
  /** The length of the DID's log with it, as UTF-8. */
  readonly logBytes: number
  /** Whether the registry itself is named as one of its witnesses. */
  readonly forOwnWitness: boolean
}

/** A first entry. */
export interface NewDid extends NewEntry {
  readonly slug: string
}

/** What is stored under a DID or at a place that is taken. */
export interface TakenDid extends Pick<StoredDid, 'did' | 'slug' | 'listed' | 'state'> {
  readonly first: StoredEntry
}

export interface DidWriter {
  /**
   * Stores first entries, each with its outbox row, all or none, in one statement. Gives the DIDs that are now stored; those
   * that are left out are taken, at a place that is taken, or were erased. No DID may stand twice.
   */
  insertDids(dids: readonly NewDid[]): Promise<ReadonlySet<string>>
  /** Stores a whole log; false when the DID or its place is taken. */
  insertDidLog(log: NewDidLog): Promise<boolean>
  /** Who has these DIDs or places. */
  readTaken(dids: readonly Pick<NewDid, 'did' | 'slug'>[]): Promise<TakenDid[]>
  /** Stores an entry and its outbox row. False, and nothing is written, when the DID is not at the version before any more. */
  appendEntry(entry: NewEntry): Promise<boolean>
  /** Runs in one transaction that holds the DID: no entry, proof or erasure of it goes on meanwhile. */
  holdDid<T>(did: string, work: (held: HeldDid) => Promise<T>): Promise<T>
  /** Deletes the DID with its entries, salts and proofs, and remembers that it was erased. False when there is none. */
  eraseDid(did: string, erasedAt: Date): Promise<boolean>
  /** Entries that wait for the registry's own approval and whose leaf is in the log of this size, the oldest first. */
  readDueWitnessing(
    logSize: number,
    limit: number,
  ): Promise<{ did: string; versionNumber: number; versionId: string }[]>
}

export interface HeldDid {
  /** How many of its entries were accepted; null when there is no such DID. */
  readonly newestVersion: number | null
  readWitnessProofs(): Promise<StoredWitnessProof[]>
  insertWitnessProof(proof: StoredWitnessProof, acceptedAt: Date): Promise<void>
  /** Publishes the versions up to this one, and drops proofs that newer ones of the same witness stand for. */
  publish(version: number): Promise<void>
  /** The registry has approved this version, so nothing is due for it or any before. */
  endDuties(version: number): Promise<void>
}

export function createDidWriter(database: Database<RegistryTables>): DidWriter {
  return {
    insertDids: (dids) => insertDids(database, dids),
    insertDidLog: (log) => insertDidLog(database, log),
    readTaken: (dids) => readTaken(database, dids),
    appendEntry: (entry) => appendEntry(database, entry),
    holdDid: (did, work) =>
      database.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('registry.dids')
          .select('version_number')
          .where('did', '=', did)
          .forUpdate()
          .executeTakeFirst()
        return work(heldDid(transaction, did, row?.version_number ?? null))
      }),
    eraseDid: (did, erasedAt) => database.transaction().execute((transaction) => eraseDid(transaction, did, erasedAt)),
    readDueWitnessing: async (logSize, limit) => {
      const { rows } = await sql<{ did: string; versionNumber: number; versionId: string }>`
        SELECT duty.did, duty.version_number AS "versionNumber", duty.version_id AS "versionId"
        FROM registry.did_witness_duties AS duty JOIN registry.leaves AS leaf USING (commitment)
        WHERE leaf.index < ${logSize} ORDER BY leaf.index LIMIT ${limit}`.execute(database)
      return rows
    },
  }
}

async function insertDids(database: Kysely<RegistryTables>, dids: readonly NewDid[]): Promise<ReadonlySet<string>> {
  // One statement is one transaction: after a crash each DID is there with its entry and its outbox row, or is not there.
  // It is prepared, as to plan it takes as long as twenty of the rows; of generate_series the planner expects a thousand.
  const { rows } = await sql<{ did: string }>`${prepared('registry-insert-dids')}
    WITH input AS (
      SELECT did, slug, listed, state::json, log_characters, published_version, version_id, line, for_own_witness,
        to_timestamp(accepted_ms / 1000) AS accepted_at,
        substring(${asRun(dids.map(({ salt }) => salt))}::bytea
          FROM ${saltBytes}::integer * n + 1 FOR ${saltBytes}::integer) AS salt,
        substring(${asRun(dids.map(({ commitment }) => commitment))}::bytea
          FROM ${hashBytes}::integer * n + 1 FOR ${hashBytes}::integer) AS commitment
      FROM ROWS FROM (
        string_to_table(${asLines(dids.map(({ did }) => did))}, E'\\n'),
        string_to_table(${asLines(dids.map(({ slug }) => slug))}, E'\\n'),
        string_to_table(${asLines(dids.map(({ state }) => JSON.stringify(state)))}, E'\\n'),
        string_to_table(${asLines(dids.map(({ versionId }) => versionId))}, E'\\n'),
        string_to_table(${asLines(dids.map(({ line }) => line))}, E'\\n'),
        unnest(${asArray(dids.map(({ listed }) => listed))}::boolean[]),
        unnest(${asArray(dids.map(({ logBytes }) => logBytes))}::integer[]),
        unnest(${asArray(dids.map(publishedAfter))}::integer[]),
        unnest(${asArray(dids.map(({ acceptedAt }) => acceptedAt.getTime()))}::float8[]),
        unnest(${asArray(dids.map(({ forOwnWitness }) => forOwnWitness))}::boolean[]),
        generate_series(0, ${dids.length - 1}::integer)
      ) AS input (did, slug, state, version_id, line, listed, log_characters, published_version, accepted_ms,
        for_own_witness, n)
    ), stored AS (
      INSERT INTO registry.dids
        (did, slug, listed, state, log_characters, version_number, published_version, created_at)
      SELECT did, slug, listed, state, log_characters, 1, published_version, accepted_at FROM input
      WHERE NOT EXISTS (SELECT FROM registry.erased_dids WHERE did_hash = sha256(convert_to(input.did, 'UTF8')))
        AND NOT EXISTS (SELECT FROM registry.erased_dids WHERE slug_hash = sha256(convert_to(input.slug, 'UTF8')))
      ON CONFLICT DO NOTHING RETURNING did
    ), entries AS (
      INSERT INTO registry.did_entries (did, version_number, version_id, line, salt, commitment, accepted_at)
      SELECT did, 1, version_id, line, salt, commitment, accepted_at FROM input JOIN stored USING (did)
    ), leaves AS (
      INSERT INTO registry.outbox (kind, commitment, public_salt)
      SELECT 'did', commitment, CASE WHEN listed THEN salt END FROM input JOIN stored USING (did)
    ), duties AS (
      INSERT INTO registry.did_witness_duties (did, version_number, version_id, commitment)
      SELECT did, 1, version_id, commitment FROM input JOIN stored USING (did) WHERE for_own_witness
    ), woken AS (SELECT pg_notify(${outboxChannel}, '') WHERE EXISTS (SELECT FROM stored))
    SELECT stored.did FROM stored LEFT JOIN woken ON true`.execute(database)
  return new Set(rows.map(({ did }) => did))
}

/** A first entry is published at once unless witnesses have to approve it. */
function publishedAfter({ state }: NewDid): number {
  return state.requiredWitness === null ? 1 : 0
}

async function readTaken(
  database: Kysely<RegistryTables>,
  dids: readonly Pick<NewDid, 'did' | 'slug'>[],
): Promise<TakenDid[]> {
  const { rows } = await sql<TakenRow>`
    SELECT did.did, did.slug, did.listed, did.state, entry.line, entry.version_id, entry.salt, entry.commitment,
      entry.accepted_at
    FROM registry.dids AS did JOIN registry.did_entries AS entry ON entry.did = did.did AND entry.version_number = 1
    WHERE did.did = ANY(${dids.map(({ did }) => did)}::text[]) OR did.slug = ANY(${dids.map(({ slug }) => slug)}::text[])
  `.execute(database)
  return rows.map(({ did, slug, listed, state, version_id, accepted_at, ...entry }) => ({
    did,
    slug,
    listed,
    state,
    first: { did, versionNumber: 1, versionId: version_id, acceptedAt: accepted_at, ...entry },
  }))
}

interface TakenRow {
  did: string
  slug: string
  listed: boolean
  state: DidState
  line: string
  version_id: string
  salt: Buffer
  commitment: Buffer
  accepted_at: Date
}

async function appendEntry(database: Kysely<RegistryTables>, entry: NewEntry): Promise<boolean> {
  const { did, versionNumber, state } = entry
  const previous = versionNumber - 1
  const commitment = Buffer.from(entry.commitment)
  const salt = Buffer.from(entry.salt)
  // Published as far as the entries before it are; one that witnesses approve waits for their proofs.
  const published = state.requiredWitness === null ? versionNumber : previous
  const { rows } = await sql`
    WITH moved AS (
      UPDATE registry.dids SET state = ${JSON.stringify(state)}::json, log_characters = ${entry.logBytes}::integer,
        version_number = ${versionNumber}::integer,
        published_version = CASE WHEN published_version = ${previous} THEN ${published}::integer ELSE published_version END
      WHERE did = ${did} AND version_number = ${previous} RETURNING did
    ), stored AS (
      INSERT INTO registry.did_entries (did, version_number, version_id, line, salt, commitment, accepted_at)
      SELECT did, ${versionNumber}::integer, ${entry.versionId}, ${entry.line}, ${salt}::bytea, ${commitment}::bytea,
        ${entry.acceptedAt}::timestamptz FROM moved
    ), leaf AS (
      INSERT INTO registry.outbox (kind, commitment, public_salt)
      SELECT 'did', ${commitment}::bytea, ${entry.listed ? salt : null}::bytea FROM moved
    ), duty AS (
      INSERT INTO registry.did_witness_duties (did, version_number, version_id, commitment)
      SELECT did, ${versionNumber}::integer, ${entry.versionId}, ${commitment}::bytea FROM moved
      WHERE ${entry.forOwnWitness}::boolean
    )
    SELECT pg_notify(${outboxChannel}, '') FROM moved`.execute(database)
  return rows.length > 0
}

function heldDid(transaction: Kysely<RegistryTables>, did: string, newestVersion: number | null): HeldDid {
  return {
    newestVersion,
    readWitnessProofs: () =>
      transaction
        .selectFrom('registry.did_witness_proofs')
        .select(['version_number as versionNumber', 'version_id as versionId', 'witness', 'proof'])
        .where('did', '=', did)
        .execute(),
    insertWitnessProof: async ({ versionNumber, versionId, witness, proof }, acceptedAt) => {
      await transaction
        .insertInto('registry.did_witness_proofs')
        .values({
          did,
          version_number: versionNumber,
          version_id: versionId,
          witness,
          proof,
          accepted_at: acceptedAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    publish: async (version) => {
      await transaction
        .updateTable('registry.dids')
        .set({ published_version: version })
        .where('did', '=', did)
        .execute()
      // did:webvh v1.0, "The Witness Proofs File": of published versions only the latest proof of each witness is kept.
      await sql`
        DELETE FROM registry.did_witness_proofs AS older WHERE did = ${did} AND EXISTS (
          SELECT FROM registry.did_witness_proofs AS newer
          WHERE newer.did = older.did AND newer.witness = older.witness
            AND newer.version_number > older.version_number AND newer.version_number <= ${version}
        )`.execute(transaction)
    },
    endDuties: async (version) => {
      await transaction
        .deleteFrom('registry.did_witness_duties')
        .where('did', '=', did)
        .where('version_number', '<=', version)
        .execute()
    },
  }
}

async function eraseDid(transaction: Kysely<RegistryTables>, did: string, erasedAt: Date): Promise<boolean> {
  // Registrations look for tombstones in their own snapshot: none may be under way that was taken before this one commits.
  await sql`LOCK TABLE registry.dids IN EXCLUSIVE MODE`.execute(transaction)
  await sql`DELETE FROM registry.did_entries WHERE did = ${did}`.execute(transaction)
  const { rows } = await sql`
    WITH gone AS (DELETE FROM registry.dids WHERE did = ${did} RETURNING did, slug)
    INSERT INTO registry.erased_dids (did_hash, slug_hash, erased_at)
    SELECT sha256(convert_to(did, 'UTF8')), sha256(convert_to(slug, 'UTF8')), ${erasedAt}::timestamptz FROM gone
    RETURNING 1`.execute(transaction)
  return rows.length > 0
}
