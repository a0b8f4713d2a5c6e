import type { Database } from '@tillit/database'
import { sql } from 'kysely'
import type { SignedCheckpoint } from './log-store.ts'
import { runAlone } from './run-alone.ts'
import type { RegistryTables } from './tables.ts'

/** One process at a time asks the witnesses and publishes; the number is ours alone. */
const publishingLock = 7_417_004

/** A checkpoint as the public sees it: `note` carries the cosignatures that met the policy. */
export interface PublishedCheckpoint extends SignedCheckpoint {
  readonly publishedAt: Date
}

/** What a witness of the policy did last. */
export interface WitnessState {
  readonly name: string
  readonly cosignedSize: number
  readonly cosignedAt: Date | null
  /** Why it did not cosign when it was asked last; null when it did. */
  readonly fault: string | null
}

export interface PublicationReader {
  newest(): Promise<PublishedCheckpoint | null>
  ofSize(size: number): Promise<PublishedCheckpoint | null>
  /** The oldest one of more than `size` entries. */
  oldestBeyond(size: number): Promise<PublishedCheckpoint | null>
  /** Those that are kept of at least `minSize` entries, by size. */
  list(minSize: number, limit: number): Promise<Pick<PublishedCheckpoint, 'size' | 'note'>[]>
  readWitnesses(): Promise<WitnessState[]>
}

export interface PublicationStore extends PublicationReader {
  /** Runs the work unless another process is at it; then gives null. */
  alone<T>(work: () => Promise<T>): Promise<T | null>
  /**
   * Makes a signed checkpoint public, or its note with more signatures than it was published with. Of two processes that
   * publish one size, the first is heard.
   */
  publish(checkpoint: Pick<PublishedCheckpoint, 'size' | 'note' | 'publishedAt'>): Promise<void>
  saveWitnesses(states: readonly WitnessState[]): Promise<void>
}

export function createPublicationStore(database: Database<RegistryTables>): PublicationStore {
  const published = () =>
    database
      .selectFrom('registry.published_checkpoints as published')
      .innerJoin('registry.checkpoints as signed', 'signed.size', 'published.size')
      .select(['published.size', 'signed.root', 'published.note', 'signed.signed_at', 'published.published_at'])
  return {
    alone: (work) => runAlone(database, publishingLock, work),
    newest: async () => checkpointOf(await published().orderBy('published.size', 'desc').limit(1).executeTakeFirst()),
    ofSize: async (size) => checkpointOf(await published().where('published.size', '=', size).executeTakeFirst()),
    oldestBeyond: async (size) =>
      checkpointOf(
        await published().where('published.size', '>', size).orderBy('published.size').limit(1).executeTakeFirst(),
      ),
    list: (minSize, limit) =>
      database
        .selectFrom('registry.published_checkpoints')
        .select(['size', 'note'])
        .where('size', '>=', minSize)
        .orderBy('size')
        .limit(limit)
        .execute(),
    publish: async ({ size, note, publishedAt }) => {
      await database
        .insertInto('registry.published_checkpoints')
        .values({ size, note, published_at: publishedAt })
        .onConflict((conflict) =>
          conflict
            .column('size')
            .doUpdateSet((row) => ({ note: row.ref('excluded.note') }))
            .where(sql<boolean>`starts_with(excluded.note, published_checkpoints.note)`),
        )
        .execute()
    },
    readWitnesses: async () => {
      const rows = await database.selectFrom('registry.witnesses').selectAll().execute()
      return rows.map(({ name, cosigned_size: cosignedSize, cosigned_at: cosignedAt, fault }) => ({
        name,
        cosignedSize,
        cosignedAt,
        fault,
      }))
    },
    saveWitnesses: async (states) => {
      if (states.length === 0) return
      await database
        .insertInto('registry.witnesses')
        .values(
          states.map(({ name, cosignedSize, cosignedAt, fault }) => ({
            name,
            cosigned_size: cosignedSize,
            cosigned_at: cosignedAt,
            fault,
          })),
        )
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet((row) => ({
            cosigned_size: row.ref('excluded.cosigned_size'),
            cosigned_at: row.ref('excluded.cosigned_at'),
            fault: row.ref('excluded.fault'),
          })),
        )
        .execute()
    },
  }
}

interface PublishedRow {
  size: number
  root: Buffer
  note: string
  signed_at: Date
  published_at: Date
}

function checkpointOf(row: PublishedRow | undefined): PublishedCheckpoint | null {
  if (row === undefined) return null
  const { size, root, note, signed_at: signedAt, published_at: publishedAt } = row
  return { size, root, note, signedAt, publishedAt }
}
