import type { CredentialStatus } from '@tillit/credential'
import type { CredentialType, Party, PartyRole, StatusEvent } from '@tillit/schemas'
import type { Generated } from 'kysely'
import type { IssuanceTables } from './openid4vci/issuance-store.ts'
import type { VcApiTables } from './vc-api/vc-api-store.ts'

export interface PartyRow {
  did: string
  name: string
  registration_number: string
  country: string
  roles: PartyRole[]
  purposes: string[]
  status: Party['status']
  credential_id: string | null
  is_root: Generated<boolean>
  changed_at: Date
}

export interface IssuedCredentialRow {
  id: string
  /** VerifiableCredential: none of our types. */
  type: CredentialType | 'VerifiableCredential'
  issuer_did: string
  holder: string
  metering_point_id: string | null
  status: Generated<CredentialStatus>
  status_list_id: number
  status_index: number
  sha256: Uint8Array
  credential: string | null
  claims: Record<string, unknown> | null
  issued_at: Date
  expires_at: Date | null
}

/** Which line of whose run became which credential. */
export interface BulkLine {
  issuer_did: string
  run: string
  line: number
  sha256: Uint8Array
  credential_id: string
}

export interface CompromisedKeyRow {
  did: string
  jkt: string
  statement: string
  stated_by: string
  at: Date
  entry: Record<string, unknown>
  salt: Uint8Array
  commitment: Uint8Array
}

/** The service's own tables, and the views of metering and permissions that it reads. */
export interface CredentialsTables extends IssuanceTables, VcApiTables {
  'credentials.parties': PartyRow
  'credentials.issued_credentials': IssuedCredentialRow
  'credentials.accreditation_events': {
    id: Generated<number>
    did: string
    event: 'accredited' | 'suspended' | 'reinstated' | 'removed'
    actor: string
    credential_id: string | null
    at: Date
    /** What was accredited; of other events null. */
    roles: PartyRole[] | null
    purposes: string[] | null
  }
  'credentials.compromised_keys': CompromisedKeyRow
  'credentials.bulk_lines': BulkLine
  'credentials.status_events': {
    id: Generated<number>
    credential_id: string
    entry: StatusEvent
    salt: Uint8Array | null
    commitment: Uint8Array
  }
  'credentials.status_lists': {
    id: Generated<number>
    size: number
    bitmap: Uint8Array
    version: Generated<number>
    opened_at: Generated<Date>
    closed_at: Date | null
  }
  'credentials.status_index': { list_id: number; idx: number }
  'credentials.nonces': { sha256: Uint8Array; expires_at: Date }
  'metering.metering_point_v1': { id: string; gsrn: string; utility_did: string; time_zone: string }
  'metering.entitlement_v1': {
    metering_point_id: string
    customer_id: string
    role: 'holder' | 'co-occupant'
    valid_from: Date
    valid_to: Date | null
  }
  'permissions.customer_key_v1': { customer_id: string; did: string }
  'metering.device_v1': { did: string; metering_point_id: string; status: string }
}
