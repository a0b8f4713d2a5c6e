import type { Database } from '@tillit/database'
import type { AnchorRecord } from '@tillit/ledger'
import type { Selectable } from 'kysely'
import { runAlone } from './run-alone.ts'
import type { RegistryTables } from './tables.ts'

/** One process at a time talks to the ledger; the number is ours alone. */
const anchoringLock = 7_417_003

export interface AnchorStore {
  /** Runs the work unless another process is at it; then gives null. */
  alone<T>(work: () => Promise<T>): Promise<T | null>
  /** The newest anchor that the ledger still holds. */
  newest(): Promise<AnchorRecord | null>
  /** The newest anchor whose checkpoint holds the leaf at `index`. */
  newestHolding(index: number): Promise<AnchorRecord | null>
  ofSize(size: number): Promise<AnchorRecord | null>
  /** By size, the smallest first. */
  list(minSize: number, limit: number): Promise<AnchorRecord[]>
  /** Those that were marked as lost since then on this chain and contract, the newest first. */
  listLost(
    which: { chainId: number; contract: string; largestSize: number; since: Date },
    limit: number,
  ): Promise<AnchorRecord[]>
  /** Records an anchor, or one that is known anew as the ledger holds it now. */
  insert(record: AnchorRecord): Promise<void>
  /** Marks anchors of more than `size` entries as lost; with `elsewhere`, all that are not of that chain and contract. */
  markLost(
    which: { largerThan: number } | { elsewhere: { chainId: number; contract: string } },
    at: Date,
  ): Promise<number>
}

export function createAnchorStore(database: Database<RegistryTables>): AnchorStore {
  const held = () => database.selectFrom('registry.anchors').selectAll().where('lost_at', 'is', null)
  return {
    alone: (work) => runAlone(database, anchoringLock, work),
    newest: async () => recordOf(await held().orderBy('size', 'desc').limit(1).executeTakeFirst()),
    newestHolding: async (index) =>
      recordOf(await held().where('size', '>', index).orderBy('size', 'desc').limit(1).executeTakeFirst()),
    ofSize: async (size) => recordOf(await held().where('size', '=', size).executeTakeFirst()),
    list: async (minSize, limit) => {
      const rows = await held().where('size', '>=', minSize).orderBy('size').limit(limit).execute()
      return rows.map(recordOf).filter((record) => record !== null)
    },
    listLost: async ({ chainId, contract, largestSize, since }, limit) => {
      const rows = await database
        .selectFrom('registry.anchors')
        .selectAll()
        .where('lost_at', '>=', since)
        .where('chain_id', '=', chainId)
        .where('contract', '=', contract)
        .where('size', '<=', largestSize)
        .orderBy('size', 'desc')
        .limit(limit)
        .execute()
      return rows.map(recordOf).filter((record) => record !== null)
    },
    insert: async (record) => {
      const { chainId, contract, transaction, blockNumber, size, root, anchoredAt, cost } = record
      await database
        .insertInto('registry.anchors')
        .values({
          chain_id: chainId,
          contract,
          transaction,
          block_number: blockNumber,
          size,
          root: Buffer.from(root),
          anchored_at: anchoredAt,
          gas_used: cost?.gasUsed ?? null,
          fee_wei: cost?.feeWei.toString() ?? null,
        })
        // The same transaction again: recorded twice after a crash, or made again on a chain that had come back empty.
        .onConflict((conflict) =>
          conflict
            .columns(['chain_id', 'contract', 'transaction'])
            .doUpdateSet({ block_number: blockNumber, anchored_at: anchoredAt, lost_at: null }),
        )
        .execute()
    },
    markLost: async (which, at) => {
      let update = database.updateTable('registry.anchors').set({ lost_at: at }).where('lost_at', 'is', null)
      if ('largerThan' in which) update = update.where('size', '>', which.largerThan)
      else {
        const { chainId, contract } = which.elsewhere
        update = update.where((row) => row.or([row('chain_id', '<>', chainId), row('contract', '<>', contract)]))
      }
      const { numUpdatedRows } = await update.executeTakeFirst()
      return Number(numUpdatedRows)
    },
  }
}

function recordOf(row: AnchorRow | undefined): AnchorRecord | null {
  if (row === undefined) return null
  const { chain_id: chainId, contract, transaction, block_number: blockNumber, size, root, anchored_at } = row
  const { gas_used: gasUsed, fee_wei: feeWei } = row
  const record = { chainId, contract, transaction, blockNumber, size, root, anchoredAt: anchored_at }
  return gasUsed === null || feeWei === null ? record : { ...record, cost: { gasUsed, feeWei: BigInt(feeWei) } }
}

type AnchorRow = Selectable<RegistryTables['registry.anchors']>
