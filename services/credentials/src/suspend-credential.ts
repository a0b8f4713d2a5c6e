import { Problem } from '@tillit/problem'
import { changeStatus } from './issue-credential.ts'
import type { Context } from './ports.ts'
import { requireStatusAuthority } from './revoke-credential.ts'

/**
 * Suspends one credential, or ends that. Its issuer may, and the registrar. Idempotent. Throws Problem not-found,
 * role-required, or conflict: what is revoked stays so, and an accreditation is suspended with its organisation.
 */
export async function setCredentialSuspension(
  context: Context,
  callerDid: string,
  { credentialId, suspended }: { credentialId: string; suspended: boolean },
): Promise<void> {
  await context.store.write(async (writer) => {
    const credential = await writer.credential(credentialId)
    if (!credential) throw new Problem('not-found', { detail: 'No such credential' })
    await requireStatusAuthority(writer, callerDid, credential)
    if (credential.type === 'OrganisationCredential') {
      throw new Problem('conflict', { detail: 'An accreditation is suspended with its organisation' })
    }
    if (credential.status === 'revoked') throw new Problem('conflict', { detail: 'The credential is revoked for good' })
    await changeStatus(writer, context, credential, { status: suspended ? 'suspended' : 'valid', actor: callerDid })
  })
}
