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
    version_number: number
    published_version: number
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
  'registry.did_witness_proofs': {
    did: string
    version_number: number
    version_id: string
    witness: string
    proof: string
    accepted_at: Date
  }
  'registry.did_witness_duties': { did: string; version_number: number; version_id: string; commitment: Buffer }
  'registry.erased_dids': { did_hash: Buffer; slug_hash: Buffer; erased_at: Date }
  'registry.watched_dids': {
    scid: string
    did: string
    version_id: string
    log: string
    witness_file: string | null
    update_keys: string[]
    checked_at: Date
    check_at: Date
    fault: string | null
    other_log: string | null
  }
  'registry.watched_resources': {
    scid: string
    path: string
    media_type: string
    content: Buffer
    fetched_at: Date
  }
  'registry.leaves': {
    index: number
    commitment: Buffer
    public_salt: Buffer | null
    listed: boolean
    sequenced_at: Date
  }
  'registry.tiles': { level: number; index: number; hashes: Buffer }
  'registry.checkpoints': { size: number; root: Buffer; note: string; signed_at: Date }
  'registry.published_checkpoints': { size: number; note: string; published_at: Date }
  'registry.witnesses': { name: string; cosigned_size: number; cosigned_at: Date | null; fault: string | null }
  'registry.anchors': {
    chain_id: number
    contract: string
    transaction: string
    block_number: number
    size: number
    root: Buffer
    anchored_at: Date
    lost_at: Generated<Date | null>
    gas_used: number | null
    /** numeric, which has no limit; text on this side. */
    fee_wei: string | null
  }
}
