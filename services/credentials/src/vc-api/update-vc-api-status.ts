import { Problem } from '@tillit/problem'
import type { VcApiStatusRequest } from '@tillit/schemas'
import type { Context } from '../ports.ts'
import { revokeCredential } from '../revoke-credential.ts'
import { bitstringListUri } from '../status-list-uri.ts'
import { setCredentialSuspension } from '../suspend-credential.ts'
import { digestOfName, requireEnabled } from './issue-vc-api.ts'
import type { NamedCredential } from './vc-api-store.ts'

/**
 * Sets or lifts a status of a credential that the caller issued by VC-API, under the name it has there. Idempotent. Throws
 * Problem role-required, not-found, invalid-request (another status entry than the credential's), conflict (revoking is for
 * good).
 */
export async function updateVcApiStatus(
  context: Context,
  callerDid: string,
  { credentialId: name, credentialStatus, status }: VcApiStatusRequest,
): Promise<void> {
  requireEnabled(context, callerDid)
  const credential = await context.store.vcApiCredential(callerDid, digestOfName(name))
  if (!credential) throw new Problem('not-found', { detail: 'The issuer issued no credential with this id by VC-API' })
  requireEntryOf(context, credential, credentialStatus)
  if (credentialStatus.statusPurpose === 'suspension')
    return setCredentialSuspension(context, callerDid, { credentialId: credential.id, suspended: status })
  if (status) return revokeCredential(context, callerDid, { credentialId: credential.id })
  if (credential.status === 'revoked') throw new Problem('conflict', { detail: 'The credential is revoked for good' })
}

function requireEntryOf(
  { publicUrl }: Pick<Context, 'publicUrl'>,
  credential: NamedCredential,
  { id, statusPurpose, statusListIndex, statusListCredential }: VcApiStatusRequest['credentialStatus'],
): void {
  const index = String(credential.status_index)
  const uri = bitstringListUri(publicUrl, credential.status_list_id, statusPurpose)
  const same =
    (statusListIndex ?? index) === index &&
    (statusListCredential ?? uri) === uri &&
    (id ?? `${uri}#${index}`) === `${uri}#${index}`
  if (!same)
    throw new Problem('invalid-request', {
      detail: 'The status entry is that of another credential',
      pointer: '/credentialStatus',
    })
}
