import { Problem } from '@tillit/problem'
import type { Party } from '@tillit/schemas'
import { changeStatus } from './issue-credential.ts'
import type { Context } from './ports.ts'
import { readParty, requireRegistrar } from './trust-registry.ts'

/**
 * The registrar suspends an organisation, or readmits it: the party and its OrganisationCredentials change together, so
 * everything that it issued loses and regains its trust. Idempotent. Throws Problem role-required, not-found or conflict.
 */
export async function setSuspension(
  context: Context,
  registrarDid: string,
  { did, suspended }: { did: string; suspended: boolean },
): Promise<Party> {
  await requireRegistrar(context, registrarDid)
  await context.store.write(async (writer) => {
    await writer.lockParty(did)
    const party = await writer.party(did)
    if (!party) throw new Problem('not-found', { detail: 'The trust registry does not know this organisation' })
    if (party.is_root) throw new Problem('conflict', { detail: 'The root cannot be suspended' })
    if (party.status !== 'ACTIVE' && party.status !== 'SUSPENDED') {
      throw new Problem('conflict', { detail: `The organisation is ${party.status}` })
    }
    const status = suspended ? 'SUSPENDED' : 'ACTIVE'
    if (party.status === status) return
    const now = context.now()
    await writer.setPartyStatus(did, status, now)
    await writer.addAccreditationEvent({
      did,
      event: suspended ? 'suspended' : 'reinstated',
      actor: registrarDid,
      credential_id: party.credential_id,
      at: now,
    })
    for (const credential of await writer.credentialsOf(did, 'OrganisationCredential')) {
      const to = suspended ? 'suspended' : 'valid'
      await changeStatus(writer, context, credential, { status: to, actor: registrarDid })
    }
  })
  return readParty(context, did)
}
