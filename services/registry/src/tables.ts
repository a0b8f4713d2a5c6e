import type { DidState } from '@tillit/did'
import type { Generated, JSONColumnType } from 'kysely'

/** The tables of migrations/. */
export interface RegistryTables {
  'registry.dids': {
    did: string
    slug: string
    listed: boolean
    state: JSONColumnType<DidState>
    log_characters: number
    created_at: Date
  }
  'registry.did_entries': {
    did: string
    version_number: number
    version_id: string
    line: string
    salt: Buffer | null
    commitment: Buffer
    accepted_at: Date
  }
  'registry.leaves': { index: number; commitment: Buffer; sequenced_at: Date }
  'registry.tiles': { level: number; index: number; hashes: Buffer }
  'registry.checkpoints': { size: number; root: Buffer; note: string; signed_at: Date }
  'registry.anchors': {
    chain_id: number
    contract: string
    transaction: string
    block_number: number
    size: number
    root: Buffer
    anchored_at: Date
    lost_at: Generated<Date | null>
  }
}
