import { violatesUnique } from '@tillit/database'
import { Problem } from '@tillit/problem'
import type { Answer } from './accept-permission.ts'
import type { PermissionsContext } from './ports.ts'
import { recordTransition } from './record-transition.ts'
import type { PermissionRow } from './tables.ts'
import { statementSha256, verifyAnswer } from './verify-statement.ts'

/**
 * The customer says no, with a signed statement; the same one again gives the same answer. Throws Problem not-found,
 * key-not-bound, invalid-signature, statement-expired, statement-replayed, invalid-request, invalid-transition.
 */
export async function rejectPermission(
  { permissionId, customerId, statement }: Answer,
  { store, ports }: PermissionsContext,
): Promise<PermissionRow> {
  const evidence = statementSha256(statement)
  const now = ports.now()
  // In this order: what is not answerable any more, or whose statement is found, is read as that answer left it.
  const meteringPointId = await store.findAnswerable(permissionId, customerId, now)
  const earlier = await store.findStatement(evidence)
  const asked = await store.findPermission(permissionId)
  if (!asked || (meteringPointId === null && asked.customer_id !== customerId)) throw new Problem('not-found')
  if (earlier?.permission_id === permissionId) return asked

  const expected = { customerId, permissionId, action: 'reject', authorityDid: ports.authorityDid } as const
  const { claims, signer } = await verifyAnswer(statement, expected, { reader: store, now })
  try {
    return await store.transaction(async (writer) => {
      const locked = await writer.lockPermission(permissionId)
      if (!locked) throw new Problem('not-found')
      // The same statement came twice at once, and the other one was first.
      if (await writer.findStatement(evidence)) return locked
      const rejected = await recordTransition(
        writer,
        locked,
        {
          event: 'rejected',
          actor: 'customer',
          at: now,
          evidenceSha256: evidence,
          change: { customer_id: customerId },
        },
        ports.randomBytes,
      )
      await writer.insertStatement({
        sha256: evidence,
        permission_id: permissionId,
        action: 'reject',
        customer_id: customerId,
        signer_did: signer.did,
        jti: claims.jti,
        statement,
        receipt: null,
        received_at: now,
      })
      return rejected
    })
  } catch (error) {
    if (!violatesUnique(error)) throw error
    throw new Problem('statement-replayed', { cause: error })
  }
}
