import type { AccessRecord, Quality, Scope } from '@tillit/schemas'
import type { Generated, JSONColumnType } from 'kysely'

export interface MeteringPointRow {
  id: string
  gsrn: string
  grid_area: string
  time_zone: string
  utility_did: string
  created_at: Date
}

export interface EntitlementRow {
  id: Generated<number>
  metering_point_id: string
  customer_id: string
  role: 'holder' | 'co-occupant'
  valid_from: Date
  valid_to: Date | null
}

export interface DeviceRow {
  did: string
  metering_point_id: string
  model: string
  serial: string
  status: 'ACTIVE' | 'QUARANTINED'
  credential: string
  last_seq: number
  last_sha256: Buffer | null
  enrolled_at: Date
}

export interface DeviceBatchRow {
  device_did: string
  seq: number
  sha256: Buffer
  stored: number
  duplicates: number
  entry: JSONColumnType<Record<string, unknown>>
  salt: Buffer | null
  commitment: Buffer
  accepted_at: Date
}

export interface ReadingRow {
  metering_point_id: string
  product: string
  direction: string
  start: Date
  duration_seconds: number
  value_milli: number
  quality: Quality
  source: string
}

export interface AccessRecordRow {
  id: string
  at: Date
  metering_point_id: string
  caller_id: string
  data_from: Date
  data_to: Date
  entry: JSONColumnType<AccessRecord>
  salt: Buffer | null
  commitment: Buffer
}

/** Published by credentials. */
export interface PartyView {
  did: string
  name: string
  roles: string[]
  purposes: string[]
  status: string
  country: string
}

/** Published by permissions: one row for each permission and delegatee. */
export interface PathView {
  permission_id: string
  version: number
  state: string
  party_did: string
  caller_did: string
  metering_point_id: string
  customer_id: string
  scope: Scope
  root_statement: string
  chain: string[]
  chain_digest: string
  chain_expires: Date
  delegation_revoked: boolean
  /** The delegatees between the party and the caller. */
  intermediary_dids: string[]
}

/** Own tables, and the views that other services publish to this one. */
export interface MeteringTables {
  'metering.metering_points': MeteringPointRow
  'metering.entitlements': EntitlementRow
  'metering.devices': DeviceRow
  'metering.device_batches': DeviceBatchRow
  'metering.readings': ReadingRow
  'metering.access_records': AccessRecordRow
  'credentials.party_v1': PartyView
  'permissions.path_v1': PathView
}
