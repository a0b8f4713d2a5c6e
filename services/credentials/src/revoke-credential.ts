import { Problem } from '@tillit/problem'
import { changeStatus } from './issue-credential.ts'
import type { Context } from './ports.ts'
import type { Reader } from './read-store.ts'

/**
 * Revokes a credential for good. Its issuer may, and the registrar. Revoking an accreditation removes the organisation.
 * Idempotent. Throws Problem not-found, role-required or conflict (the root's own).
 */
export async function revokeCredential(
  context: Context,
  callerDid: string,
  { credentialId }: { credentialId: string },
): Promise<void> {
  await context.store.write(async (writer) => {
    const credential = await writer.credential(credentialId)
    if (!credential) throw new Problem('not-found', { detail: 'No such credential' })
    await requireStatusAuthority(writer, callerDid, credential)
    // A suspension that is being lifted at this moment must not bring a removed organisation back.
    await writer.lockParty(credential.holder)
    const party = await writer.party(credential.holder)
    if (party?.credential_id === credential.id && party.status !== 'REMOVED') {
      if (party.is_root) throw new Problem('conflict', { detail: 'The root cannot be removed' })
      const now = context.now()
      await writer.setPartyStatus(party.did, 'REMOVED', now)
      await writer.addAccreditationEvent({
        did: party.did,
        event: 'removed',
        actor: callerDid,
        credential_id: credential.id,
        at: now,
      })
      for (const other of await writer.credentialsOf(party.did, 'OrganisationCredential')) {
        await changeStatus(writer, context, other, { status: 'revoked', actor: callerDid })
      }
      return
    }
    await changeStatus(writer, context, credential, { status: 'revoked', actor: callerDid })
  })
}

/** Throws Problem role-required unless an active organisation asks which issued the credential, or the registrar. */
export async function requireStatusAuthority(
  reader: Pick<Reader, 'party'>,
  callerDid: string,
  { issuer_did: issuerDid }: { issuer_did: string },
): Promise<void> {
  const caller = await reader.party(callerDid)
  const isRegistrar = caller?.roles.includes('trust_registrar') === true
  if (caller?.status !== 'ACTIVE' || (issuerDid !== callerDid && !isRegistrar)) {
    throw new Problem('role-required', {
      detail: 'Only its issuer and the registrar change the status of a credential',
    })
  }
}
