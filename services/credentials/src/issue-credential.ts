import { type CredentialStatus, credentialRules } from '@tillit/credential'
import { thumbprint } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { CredentialType, PublicJwk } from '@tillit/schemas'
import { allocateStatusIndex } from './allocate-status-index.ts'
import { makeCredential } from './make-credential.ts'
import type { Context, HostedIssuer } from './ports.ts'
import type { Reader } from './read-store.ts'
import type { CredentialFormat } from './sign-credential.ts'
import { statusEvent } from './status-event.ts'
import type { IssuedCredential, Writer } from './store.ts'

export interface CredentialOrder {
  type: CredentialType
  /** By default an SD-JWT VC. */
  format?: CredentialFormat
  holder: { did?: string; jwk: PublicJwk }
  claims: Record<string, unknown>
  /** Who issues; by default the one who may issue the type: the root, the authority, or the metering point's utility. */
  issuerDid?: string
  /** Under whom it is kept when the holder has no DID: the opaque id of the customer. */
  customerId?: string
  /** By default a year for what says how things are; receipts are evidence and last for good. */
  expires?: Date
}

export interface Issued {
  id: string
  credential: string
}

/** Issues in a transaction of its own. */
export function issueCredential(context: Context, order: CredentialOrder): Promise<Issued> {
  return context.store.write((writer) => issueWithin(writer, context, order))
}

/**
 * Issues in the caller's transaction: index, register, log entry and credential come into being together or not at all.
 * Throws Problem invalid-credential, weak-key, party-not-active, metering-point-not-found, untrusted-issuer (no key of the
 * issuer is kept here) or status-list-full.
 */
export async function issueWithin(writer: Writer, context: Context, order: CredentialOrder): Promise<Issued> {
  const now = context.now()
  const issuerDid = order.issuerDid ?? (await issuerOf(order, writer, context.authorityDid))
  await requireIssuer(writer, order.type, issuerDid)
  const issuer = await requireKey(writer, context, issuerDid)
  const place = await allocateStatusIndex(writer, context.statusListSize)
  const made = await makeCredential(context, order, { issuerDid, issuer, place, now })
  await writer.addCredentials([made])
  return { id: made.record.id, credential: made.credential }
}

/** Sets the status of an issued credential and logs it. Idempotent; what is revoked stays so. */
export async function changeStatus(
  writer: Writer,
  context: Pick<Context, 'now' | 'publicUrl' | 'randomBytes'>,
  credential: IssuedCredential,
  change: { status: CredentialStatus; actor: string },
): Promise<void> {
  if (credential.status === change.status || credential.status === 'revoked') return
  await writer.setStatus(credential, change.status)
  const event = change.status === 'valid' ? 'reinstated' : change.status
  const what = { event, actor: change.actor, at: context.now() } as const
  await writer.addStatusEvents([statusEvent(context, credential, what)])
}

async function issuerOf({ type, claims }: CredentialOrder, reader: Reader, authorityDid: string): Promise<string> {
  const rule = credentialRules[type].issuer
  if (rule === 'authority') return authorityDid
  if (rule === 'root' || (rule === 'root-or-utility' && claims.metering_point === undefined)) return requireRoot(reader)
  if (rule === 'eligible_party') {
    throw new Problem('untrusted-issuer', { detail: 'The party that delegates issues this, and is to be named' })
  }
  const utility = typeof claims.metering_point === 'string' ? await reader.utilityOf(claims.metering_point) : undefined
  if (utility === undefined) throw new Problem('metering-point-not-found')
  return utility
}

/**
 * Holds the issuer until the end of the transaction: a suspension that is under way waits for what is issued, or this sees the
 * suspension. Throws Problem party-not-active.
 */
export async function requireIssuer(
  writer: Pick<Writer, 'holdParty' | 'party'>,
  type: CredentialType,
  issuerDid: string,
): Promise<void> {
  const rule = credentialRules[type].issuer
  if (rule === 'root' || rule === 'authority') return
  await writer.holdParty(issuerDid)
  const party = await writer.party(issuerDid)
  const role = rule === 'root-or-utility' ? 'utility' : rule
  if (party?.status !== 'ACTIVE' || !(party.roles.includes(role) || (rule === 'root-or-utility' && party.is_root))) {
    throw new Problem('party-not-active', { detail: 'The issuer may not issue such credentials now' })
  }
}

/** The key that the city keeps for an issuer, unless it was reported as compromised. Throws Problem untrusted-issuer. */
export async function requireKey(
  reader: Pick<Reader, 'keyIsCompromised'>,
  { issuers }: Pick<Context, 'issuers'>,
  issuerDid: string,
): Promise<HostedIssuer> {
  const issuer = await issuers(issuerDid)
  if (!issuer) throw new Problem('untrusted-issuer', { detail: 'The issuer’s key is not kept in this city' })
  if (await reader.keyIsCompromised(issuerDid, thumbprint(issuer.signer.publicKey))) {
    throw new Problem('untrusted-issuer', {
      detail: 'The issuer’s key was reported as compromised; it has to be rotated',
    })
  }
  return issuer
}

/** Throws Problem not-ready until the root was made. */
export async function requireRoot(reader: Pick<Reader, 'rootDid'>): Promise<string> {
  const rootDid = await reader.rootDid()
  if (rootDid === undefined) throw new Problem('not-ready', { detail: 'The city has no registrar yet' })
  return rootDid
}
