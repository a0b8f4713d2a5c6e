import { type Database, prepared } from '@tillit/database'
import type { DidState } from '@tillit/did'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { createDidWriter, type DidWriter } from './did-writer.ts'
import type { RegistryTables } from './tables.ts'

export interface StoredDid {
  readonly did: string
  /** Last segment of the DID: where its did.jsonl is served. */
  readonly slug: string
  readonly listed: boolean
  /** After the newest accepted entry, published or not. */
  readonly state: DidState
  /** How many of its entries everybody may see. */
  readonly publishedVersion: number
  readonly logBytes: number
}

export interface StoredEntry {
  readonly did: string
  readonly versionNumber: number
  readonly versionId: string
  /** The line of did.jsonl, as it is served, without its end. */
  readonly line: string
  readonly salt: Uint8Array
  readonly commitment: Uint8Array
  readonly acceptedAt: Date
}

/** An approval of a version by a witness. */
export interface StoredWitnessProof {
  readonly versionNumber: number
  readonly versionId: string
  /** did:key of the witness. */
  readonly witness: string
  /** The JSON text of the Data Integrity proof. */
  readonly proof: string
}

/** What tells whether all that is known of a DID is still all that there is. */
export interface DidHead {
  readonly did: string
  readonly listed: boolean
  /** How many entries were accepted. */
  readonly newestVersion: number
  /** How many of them everybody may see. */
  readonly publishedVersion: number
  /** The versionId of the newest published entry; null when none is published. */
  readonly versionId: string | null
}

export interface DidStore extends DidReader, DidWriter {}

export interface DidReader {
  readDid(did: string): Promise<StoredDid | null>
  readEntry(did: string, versionNumber: number): Promise<StoredEntry | null>
  readHead(did: string): Promise<DidHead | null>
  readHeadAt(slug: string): Promise<DidHead | null>
  /** By the SCID of a listed and published DID; those of unlisted ones are for whoever was given the DID. */
  readListedHead(scid: string): Promise<DidHead | null>
  /** Lines of did.jsonl of the versions `from` to `to`, both included, without their ends. */
  readLines(did: string, range: { from: number; to: number }): Promise<string[]>
  /** In the order of versions. */
  readWitnessProofs(did: string): Promise<StoredWitnessProof[]>
  /** Listed and published DIDs after the given one, in the order of their bytes. */
  readListedDids(page: { after: string; limit: number }): Promise<DidHead[]>
  /** The entry of a listed DID by its commitment, with its salt. */
  readListedEntry(commitment: Uint8Array): Promise<{ line: string; salt: Uint8Array } | null>
  /** Which of the DIDs were erased. */
  readErased(dids: readonly string[]): Promise<ReadonlySet<string>>
  /** Whether a DID at this place was erased. */
  wasErasedAt(slug: string): Promise<boolean>
}

export function createDidStore(database: Database<RegistryTables>): DidStore {
  return { ...createDidWriter(database), ...createDidReader(database) }
}

function createDidReader(database: Kysely<RegistryTables>): DidReader {
  return {
    readDid: async (did) => {
      const row = await database.selectFrom('registry.dids').selectAll().where('did', '=', did).executeTakeFirst()
      if (row === undefined) return null
      const { slug, listed, state, published_version: publishedVersion, log_characters: logBytes } = row
      return { did, slug, listed, state, publishedVersion, logBytes }
    },
    readEntry: async (did, versionNumber) => {
      const { rows } = await sql<EntryRow>`
        SELECT * FROM registry.did_entries WHERE did = ${did} AND version_number = ${versionNumber}`.execute(database)
      return rows[0] === undefined ? null : entryOf(rows[0])
    },
    readHead: (did) => readHead(database, sql`${prepared('registry-did-head')} ${heads} WHERE did.did = ${did}`),
    readHeadAt: (slug) => readHead(database, sql`${heads} WHERE did.slug = ${slug}`),
    readListedHead: (scid) =>
      readHead(
        database,
        // All DIDs of the SCID: `;` is the character after `:`.
        sql`${heads} WHERE did.listed AND did.published_version > 0
          AND did.did COLLATE "C" > ${`did:webvh:${scid}:`} AND did.did COLLATE "C" < ${`did:webvh:${scid};`}`,
      ),
    readLines: async (did, { from, to }) => {
      const { rows } = await sql<{ line: string }>`
        SELECT line FROM registry.did_entries WHERE did = ${did} AND version_number BETWEEN ${from} AND ${to}
        ORDER BY version_number`.execute(database)
      return rows.map(({ line }) => line)
    },
    readWitnessProofs: (did) =>
      database
        .selectFrom('registry.did_witness_proofs')
        .select(['version_number as versionNumber', 'version_id as versionId', 'witness', 'proof'])
        .where('did', '=', did)
        .orderBy('version_number')
        .orderBy('witness')
        .execute(),
    readListedDids: async ({ after, limit }) => {
      const { rows } = await sql<HeadRow>`${heads}
        WHERE did.listed AND did.published_version > 0 AND did.did COLLATE "C" > ${after}
        ORDER BY did.did COLLATE "C" LIMIT ${limit}`.execute(database)
      return rows.map(headOf)
    },
    readListedEntry: async (commitment) => {
      const row = await database
        .selectFrom('registry.did_entries as entry')
        .innerJoin('registry.dids as did', 'did.did', 'entry.did')
        .select(['entry.line', 'entry.salt'])
        .where('entry.commitment', '=', Buffer.from(commitment))
        .where('did.listed', '=', true)
        .executeTakeFirst()
      return row?.salt ? { line: row.line, salt: new Uint8Array(row.salt) } : null
    },
    readErased: async (dids) => {
      const { rows } = await sql<{ did: string }>`
        SELECT did FROM unnest(${dids}::text[]) AS did
        JOIN registry.erased_dids ON did_hash = sha256(convert_to(did, 'UTF8'))`.execute(database)
      return new Set(rows.map(({ did }) => did))
    },
    wasErasedAt: async (slug) => {
      const { rows } = await sql`
        SELECT 1 FROM registry.erased_dids WHERE slug_hash = sha256(convert_to(${slug}, 'UTF8'))`.execute(database)
      return rows.length > 0
    },
  }
}

interface HeadRow {
  did: string
  listed: boolean
  version_number: number
  published_version: number
  version_id: string | null
}

const heads = sql`
  SELECT did.did, did.listed, did.version_number, did.published_version, entry.version_id FROM registry.dids AS did
  LEFT JOIN registry.did_entries AS entry ON entry.did = did.did AND entry.version_number = did.published_version`

async function readHead(database: Kysely<RegistryTables>, query: RawBuilder<unknown>): Promise<DidHead | null> {
  const [row] = (await (query as RawBuilder<HeadRow>).execute(database)).rows
  return row === undefined ? null : headOf(row)
}

function headOf({ did, listed, version_number, published_version, version_id }: HeadRow): DidHead {
  return {
    did,
    listed,
    newestVersion: version_number,
    publishedVersion: published_version,
    versionId: version_id,
  }
}

interface EntryRow {
  did: string
  version_number: number
  version_id: string
  line: string
  salt: Buffer
  commitment: Buffer
  accepted_at: Date
}

function entryOf({ version_number, version_id, accepted_at, ...same }: EntryRow): StoredEntry {
  return { ...same, versionNumber: version_number, versionId: version_id, acceptedAt: accepted_at }
}
