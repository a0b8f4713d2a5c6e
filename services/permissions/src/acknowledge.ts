import { Problem } from '@tillit/problem'
import type { Acknowledgement } from '@tillit/schemas'
import { permissionView } from './permission-view.ts'
import type { PermissionsContext } from './ports.ts'
import { consentClaims, revocationClaims } from './receipt-claims.ts'
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
