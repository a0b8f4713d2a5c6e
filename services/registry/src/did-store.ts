import { addToOutbox, type Database } from '@tillit/database'
import type { DidState } from '@tillit/did'
import type { Kysely } from 'kysely'
import type { RegistryTables } from './tables.ts'

export interface StoredDid {
  readonly did: string
  readonly slug: string
  readonly listed: boolean
  readonly state: DidState
  readonly logCharacters: number
}

export interface StoredEntry {
  readonly did: string
  readonly versionNumber: number
  readonly versionId: string
  readonly line: string
  readonly salt: Uint8Array | null
  readonly commitment: Uint8Array
  readonly acceptedAt: Date
}

export interface DidStore {
  /** Runs in one transaction; the writer exists only inside. */
  write<T>(work: (writer: DidWriter) => Promise<T>): Promise<T>
  /** The lines of did.jsonl by DID, each ended; null when it is not registered here. */
  readLog(did: string): Promise<string | null>
  readLogAt(slug: string): Promise<{ log: string; versionId: string } | null>
  /** The entry of a listed DID by its commitment, with its salt. */
  readListedEntry(commitment: Uint8Array): Promise<{ line: string; salt: Uint8Array } | null>
}

export interface DidWriter {
  /** False when the DID or its place is taken; then nothing is written. */
  insertDid(did: StoredDid, createdAt: Date): Promise<boolean>
  /** The DID, locked until the transaction ends, so that its entries are accepted one after the other. */
  lockDid(did: string): Promise<StoredDid | null>
  updateDid(did: Pick<StoredDid, 'did' | 'state' | 'logCharacters'>): Promise<void>
  readEntry(did: string, versionNumber: number): Promise<StoredEntry | null>
  /** Stores the entry and puts its commitment into the outbox: it reaches the log exactly when this commits. */
  insertEntry(entry: StoredEntry): Promise<void>
}

export function createDidStore(database: Database<RegistryTables>): DidStore {
  return {
    write: (work) => database.transaction().execute((transaction) => work(createWriter(transaction))),
    readLog: async (did) => joinLines(await selectLines(database).where('did', '=', did).execute()),
    readLogAt: async (slug) => {
      const rows = await selectLines(database)
        .where('did', 'in', database.selectFrom('registry.dids').select('did').where('slug', '=', slug))
        .execute()
      const log = joinLines(rows)
      return log === null ? null : { log, versionId: rows.at(-1)?.version_id ?? '' }
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
  }
}

function createWriter(transaction: Kysely<RegistryTables>): DidWriter {
  return {
    insertDid: async (did, createdAt) => {
      const inserted = await transaction
        .insertInto('registry.dids')
        .values({
          did: did.did,
          slug: did.slug,
          listed: did.listed,
          state: JSON.stringify(did.state),
          log_characters: did.logCharacters,
          created_at: createdAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .returning('did')
        .executeTakeFirst()
      return inserted !== undefined
    },
    lockDid: async (did) => {
      const row = await transaction
        .selectFrom('registry.dids')
        .selectAll()
        .where('did', '=', did)
        .forUpdate()
        .executeTakeFirst()
      return row === undefined ? null : { ...row, logCharacters: row.log_characters }
    },
    updateDid: async ({ did, state, logCharacters }) => {
      await transaction
        .updateTable('registry.dids')
        .set({ state: JSON.stringify(state), log_characters: logCharacters })
        .where('did', '=', did)
        .execute()
    },
    readEntry: async (did, versionNumber) => {
      const row = await transaction
        .selectFrom('registry.did_entries')
        .selectAll()
        .where('did', '=', did)
        .where('version_number', '=', versionNumber)
        .executeTakeFirst()
      if (row === undefined) return null
      const { version_number, version_id: versionId, accepted_at: acceptedAt, ...same } = row
      return { ...same, versionNumber: version_number, versionId, acceptedAt }
    },
    insertEntry: async (entry) => {
      await transaction
        .insertInto('registry.did_entries')
        .values({
          did: entry.did,
          version_number: entry.versionNumber,
          version_id: entry.versionId,
          line: entry.line,
          salt: entry.salt === null ? null : Buffer.from(entry.salt),
          commitment: Buffer.from(entry.commitment),
          accepted_at: entry.acceptedAt,
        })
        .execute()
      await addToOutbox(transaction, 'registry', { kind: 'did', commitment: entry.commitment })
    },
  }
}

function selectLines(database: Kysely<RegistryTables>) {
  return database.selectFrom('registry.did_entries').select(['line', 'version_id']).orderBy('version_number')
}

function joinLines(rows: readonly { line: string }[]): string | null {
  return rows.length === 0 ? null : rows.map(({ line }) => `${line}\n`).join('')
}
