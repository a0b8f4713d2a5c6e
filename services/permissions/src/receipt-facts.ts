import type { CredentialType } from '@tillit/schemas'
import type { PermissionsContext } from './ports.ts'
import { consentClaims, revocationClaims } from './receipt-claims.ts'

/** Something that the authority says about a holder, and which permission it is about. */
export interface ReceiptFact {
  resource: string
  claims: Record<string, unknown>
  issuerDid: string
}

/** Which statement is the evidence behind which receipt. */
const actions = { ConsentReceipt: 'accept', RevocationReceipt: 'revoke' } as const

/**
 * What there is to say in receipts to a customer, newest first: a wallet may ask for them again, for a key of its own. Nothing
 * for other holders and other types.
 */
export async function receiptFacts(
  { store, ports }: PermissionsContext,
  type: CredentialType,
  holder: { kind: 'customer' | 'device' | 'organisation'; id: string },
): Promise<ReceiptFact[]> {
  if (holder.kind !== 'customer' || !(type === 'ConsentReceipt' || type === 'RevocationReceipt')) return []
  return store.snapshot(async (reader) => {
    const facts: ReceiptFact[] = []
    for (const evidence of await reader.listStatements(holder.id, actions[type])) {
      const permission = await reader.findPermission(evidence.permission_id)
      if (!permission) continue
      const claims =
        type === 'ConsentReceipt'
          ? consentClaims(permission, evidence, ports)
          : await revocationClaims(permission, evidence, reader)
      facts.push({ resource: permission.id, claims, issuerDid: ports.authorityDid })
    }
    return facts
  })
}
