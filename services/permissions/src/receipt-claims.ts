import { scopeDigest } from '@tillit/policy'
import type { ConsentReceiptClaims, RevocationReceiptClaims } from '@tillit/schemas'
import type { PermissionsPorts } from './ports.ts'
import type { Reader } from './store.ts'
import type { PermissionRow, StatementRow } from './tables.ts'

/** What the receipt of an acceptance says (ISO/IEC TS 27560). */
export function consentClaims(
  permission: PermissionRow,
  evidence: StatementRow,
  { publicUrl, catalogue }: Pick<PermissionsPorts, 'publicUrl' | 'catalogue'>,
): ConsentReceiptClaims {
  const scope = permission.scope ?? permission.requested_scope
  return {
    record_id: permission.id,
    schema_version: 'ISO-IEC-TS-27560:2023',
    controller: permission.party_did,
    recipient: permission.party_did,
    legal_basis: scope.legal_basis,
    purposes: scope.purpose.map(({ code }) => code),
    scope_digest: scopeDigest(scope, catalogue),
    statement_sha256: evidence.sha256,
    given_at: evidence.received_at.toISOString(),
    expires: scope.expires,
    withdrawal: `${publicUrl}/permissions/${permission.id}/revocation`,
  }
}

export async function revocationClaims(
  permission: PermissionRow,
  evidence: StatementRow,
  reader: Pick<Reader, 'listRecipients'>,
): Promise<RevocationReceiptClaims> {
  return {
    record_id: permission.id,
    enforced_at: evidence.received_at.toISOString(),
    statement_sha256: evidence.sha256,
    // They read the end and their duty to delete from this moment on.
    recipients_told: await reader.listRecipients(permission.id),
  }
}
