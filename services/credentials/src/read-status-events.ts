import { toBase64url, toHex } from '@tillit/codec'
import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { Opening, StatusEvent } from '@tillit/schemas'
import type { Context } from './ports.ts'

/** What happened to a credential, the oldest first; `seq` counts from 1. Throws Problem not-found. */
export async function listStatusEvents(
  context: Context,
  caller: Caller,
  credentialId: string,
): Promise<{ seq: number; entry: StatusEvent }[]> {
  await requireConcerned(context, caller, credentialId)
  const events = await context.store.statusEvents(credentialId)
  return events.map(({ entry }, i) => ({ seq: i + 1, entry }))
}

/** What opens the event's leaf in the log. Throws Problem not-found, and salt-erased once nothing opens it any more. */
export async function readStatusReceipt(
  context: Context,
  caller: Caller,
  { credentialId, seq }: { credentialId: string; seq: number },
): Promise<Opening> {
  await requireConcerned(context, caller, credentialId)
  const event = (await context.store.statusEvents(credentialId))[seq - 1]
  if (!event) throw new Problem('not-found', { detail: 'The credential has no such event' })
  const { entry, salt, commitment } = event
  if (salt === null) throw new Problem('salt-erased')
  return { kind: 'credential-status', entry: { ...entry }, salt: toBase64url(salt), commitment: toHex(commitment) }
}

/** Whom a credential concerns: who issued it, who holds it, and the registrar, who may revoke any. Others learn nothing. */
async function requireConcerned({ store }: Context, caller: Caller, credentialId: string): Promise<void> {
  const credential = await store.concerns(credentialId)
  if (!credential) throw new Problem('not-found', { detail: 'No such credential' })
  const { issuer_did, holder } = credential
  if (caller.id === holder) return
  if (caller.kind === 'organisation') {
    if (caller.id === issuer_did) return
    const party = await store.party(caller.id)
    if (party?.status === 'ACTIVE' && party.roles.includes('trust_registrar')) return
  }
  // A receipt is held by the key of a wallet, not by the customer whose wallet it is.
  if (caller.kind === 'customer' && (await store.isWalletOf(caller.id, holder))) return
  throw new Problem('not-found', { detail: 'No such credential' })
}
