import { scopeDigest } from '@tillit/policy'
import { Problem } from '@tillit/problem'
import type { Acknowledgement, ConsentReceiptClaims, RevocationReceiptClaims } from '@tillit/schemas'
import { permissionView } from './permission-view.ts'
import type { PermissionsContext, PermissionsPorts } from './ports.ts'
import type { Store } from './store.ts'
import type { PermissionRow, StatementRow } from './tables.ts'
import { statementSha256 } from './verify-statement.ts'

/**
 * Answers a customer's statement with its receipt. What was decided stands whether or not a receipt could be made: handing
 * in the same statement again asks for it again, and one that was made is given again.
 */
export async function acknowledge(
  permission: PermissionRow,
  statement: string,
  { store, ports }: PermissionsContext,
): Promise<Acknowledgement> {
  const evidence = await store.findStatement(statementSha256(statement))
  if (!evidence) throw new Problem('not-found')
  const enforcedAt = evidence.action === 'revoke' ? evidence.received_at : null
  return {
    permission: permissionView(permission),
    enforced_at: enforcedAt?.toISOString() ?? null,
    receipt: evidence.receipt ?? (await issueReceipt(permission, evidence, { store, ports })),
  }
}

async function issueReceipt(
  permission: PermissionRow,
  evidence: StatementRow,
  { store, ports }: PermissionsContext,
): Promise<string | null> {
  if (evidence.action === 'reject') return null
  const holder = await store.findKey(evidence.signer_did)
  if (!holder) return null
  try {
    const { credential } = await ports.issueCredential({
      type: evidence.action === 'accept' ? 'ConsentReceipt' : 'RevocationReceipt',
      holder: { did: holder.did, jwk: holder.jwk },
      claims:
        evidence.action === 'accept'
          ? consentClaims(permission, evidence, ports)
          : await revocationClaims(permission, evidence, store),
    })
    return await store.transaction(async (writer) => {
      await writer.setReceipt(evidence.sha256, credential)
      return (await writer.findStatement(evidence.sha256))?.receipt ?? null
    })
  } catch (error) {
    // The decision is committed: it must reach the customer even when the receipt does not.
    ports.logger.error({ err: error }, 'no receipt could be issued')
    return null
  }
}

function consentClaims(
  permission: PermissionRow,
  evidence: StatementRow,
  { publicUrl, catalogue }: PermissionsPorts,
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

async function revocationClaims(
  permission: PermissionRow,
  evidence: StatementRow,
  store: Store,
): Promise<RevocationReceiptClaims> {
  return {
    record_id: permission.id,
    enforced_at: evidence.received_at.toISOString(),
    statement_sha256: evidence.sha256,
    // They read the end and their duty to delete from this moment on.
    recipients_told: await store.listRecipients(permission.id),
  }
}
