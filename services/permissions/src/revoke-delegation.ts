import { Problem } from '@tillit/problem'
import type { PermissionsContext } from './ports.ts'
import { withoutReaders } from './revoke-permission.ts'
import type { DelegationRow } from './tables.ts'

/**
 * The delegator takes a delegation back, and with it every chain that goes through it. Waits for reads under way as a
 * revocation does. Throws Problem not-found, revocation-pending.
 */
export async function revokeDelegation(
  { jti, delegatorDid }: { jti: string; delegatorDid: string },
  { store, ports }: PermissionsContext,
): Promise<DelegationRow> {
  const delegation = await store.findDelegation(delegatorDid, jti)
  const hopDigest = delegation?.hop_digests.at(-1)
  if (!delegation || hopDigest === undefined) throw new Problem('not-found')
  await withoutReaders(store, delegation.permission_id, (writer) =>
    writer.insertDelegationRevocation({
      hop_digest: hopDigest,
      permission_id: delegation.permission_id,
      delegator_did: delegatorDid,
      jti,
      revoked_at: ports.now(),
    }),
  )
  return delegation
}
