import { sqlState, violatesUnique } from '@tillit/database'
import { Problem } from '@tillit/problem'
import type { Answer } from './accept-permission.ts'
import { endPermission } from './end-permission.ts'
import type { PermissionsContext } from './ports.ts'
import type { Store } from './store.ts'
import type { PermissionRow } from './tables.ts'
import { statementSha256, verifyAnswer } from './verify-statement.ts'

const lockNotAvailable = '55P03'

/**
 * The customer withdraws what they accepted, with a signed statement. When this returns, no response under the permission
 * or a delegation of it is under way, and none starts. The same statement again gives the same answer. Throws Problem
 * not-found, key-not-bound, invalid-signature, statement-expired, statement-replayed, invalid-request, invalid-transition,
 * and revocation-pending when readers did not finish in time: nothing has changed then, and it can be tried again.
 */
export async function revokePermission(
  { permissionId, customerId, statement }: Answer,
  { store, ports }: PermissionsContext,
): Promise<PermissionRow> {
  const evidence = statementSha256(statement)
  // In this order: with the statement found, the permission is read as the statement left it.
  const earlier = await store.findStatement(evidence)
  const given = await store.findPermission(permissionId)
  if (!given || given.customer_id !== customerId) throw new Problem('not-found')
  if (earlier?.permission_id === permissionId) return given

  const expected = { customerId, permissionId, action: 'revoke', authorityDid: ports.authorityDid } as const
  const { claims, signer } = await verifyAnswer(statement, expected, { reader: store, now: ports.now() })
  try {
    return await withoutReaders(store, permissionId, async (writer) => {
      const locked = await writer.lockPermission(permissionId)
      if (!locked) throw new Problem('not-found')
      // The same statement came twice at once, and the other one was first.
      if (await writer.findStatement(evidence)) return locked
      // After the last reader: this is the moment from which the customer may rely on it.
      const at = ports.now()
      const revoked = await endPermission(
        writer,
        locked,
        { event: 'revoked', actor: 'customer', at, evidenceSha256: evidence },
        ports.randomBytes,
      )
      await writer.insertStatement({
        sha256: evidence,
        permission_id: permissionId,
        action: 'revoke',
        customer_id: customerId,
        signer_did: signer.did,
        jti: claims.jti,
        statement,
        receipt: null,
        received_at: at,
      })
      return revoked
    })
  } catch (error) {
    if (!violatesUnique(error)) throw error
    throw new Problem('statement-replayed', { cause: error })
  }
}

/** Runs a transaction that no read under the permission overlaps. Throws Problem revocation-pending. */
export async function withoutReaders<T>(
  store: Store,
  permissionId: string,
  work: Parameters<typeof store.transaction<T>>[0],
): Promise<T> {
  try {
    return await store.transaction(async (writer) => {
      await writer.lockOutReaders(permissionId)
      return work(writer)
    })
  } catch (error) {
    if (sqlState(error) === lockNotAvailable) throw new Problem('revocation-pending', { cause: error })
    throw error
  }
}
