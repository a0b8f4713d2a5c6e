import type { DcqlQuery, Presentation } from '@tillit/schemas'
import type { JWK } from 'jose'

/** What became of a presentation: what was proved, or why not. */
export type Result = Pick<Presentation, 'credentials' | 'error'>

export interface PresentationRow {
  id: string
  request_id: string
  asked_by: string
  signed_by: string | null
  client_id: string
  flow: Presentation['flow']
  redirect_uri: string | null
  response_mode: 'direct_post.jwt' | 'direct_post'
  wallet_endpoint: string | null
  purpose: string
  query: DcqlQuery
  transaction_data: string[]
  nonce: string
  encryption_key: JWK | null
  keep_result_seconds: number
  created_at: Date
  expires_at: Date
  fetched_at: Date | null
  answered_at: Date | null
  outcome: 'proved' | 'refused' | 'declined' | null
  result: Result | null
  response_code_sha256: Uint8Array | null
  delete_at: Date
}

export interface VerifierTables {
  'verifier.presentations': PresentationRow
}
