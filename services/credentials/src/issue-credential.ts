import { encodeId, idBytes, sha256, toHex, utf8 } from '@tillit/codec'
import { type CredentialStatus, credentialRules, issueSdJwtVc } from '@tillit/credential'
import { commit, saltBytes } from '@tillit/log'
import { Problem } from '@tillit/problem'
import type { CredentialType, PublicJwk, StatusEvent } from '@tillit/schemas'
import { allocateStatusIndex } from './allocate-status-index.ts'
import { credentialExpiry } from './credential-expiry.ts'
import type { Context } from './ports.ts'
import { statusListUri } from './publish-status-list.ts'
import type { Reader } from './read-store.ts'
import type { IssuedCredential, Writer } from './store.ts'

export interface CredentialOrder {
  type: CredentialType
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
  const issuer = await context.issuers(issuerDid)
  if (!issuer) throw new Problem('untrusted-issuer', { detail: 'The issuer’s key is not kept in this city' })
  const expires = order.expires ?? (credentialRules[order.type].issuer === 'authority' ? null : credentialExpiry(now))
  const { listId, idx } = await allocateStatusIndex(writer, context.statusListSize)
  const id = encodeId('cred', context.randomBytes(idBytes))
  const credential = await issueSdJwtVc({
    type: order.type,
    issuerDid,
    signer: issuer.signer,
    keyId: issuer.keyId,
    ...(order.holder.did === undefined ? {} : { subjectDid: order.holder.did }),
    holderJwk: order.holder.jwk,
    claims: order.claims,
    status: { idx, uri: statusListUri(context.publicUrl, listId) },
    id,
    issuedAt: now,
    ...(expires === null ? {} : { expires }),
    randomBytes: context.randomBytes,
  })
  const digest = sha256(utf8(credential))
  const holder = order.holder.did ?? order.customerId
  if (holder === undefined) throw new TypeError('a credential needs a holder who can be named')
  const meteringPoint = order.claims.metering_point
  const row = {
    id,
    type: order.type,
    issuer_did: issuerDid,
    holder,
    metering_point_id: typeof meteringPoint === 'string' ? meteringPoint : null,
    status: 'valid' as const,
    status_list_id: listId,
    status_index: idx,
    issued_at: now,
    expires_at: expires,
  }
  await writer.addCredential({
    ...row,
    sha256: digest,
    credential: order.type === 'OrganisationCredential' ? credential : null,
    claims: order.type === 'MeterDeviceCredential' ? order.claims : null,
  })
  await logStatusEvent(writer, context, row, { event: 'issued', actor: issuerDid, sha256: toHex(digest) })
  return { id, credential }
}

/** Sets the status of an issued credential and logs it. Idempotent; what is revoked stays so. */
export async function changeStatus(
  writer: Writer,
  context: Context,
  credential: IssuedCredential,
  change: { status: CredentialStatus; actor: string },
): Promise<void> {
  if (credential.status === change.status || credential.status === 'revoked') return
  await writer.setStatus(credential, change.status)
  const event = change.status === 'valid' ? 'reinstated' : change.status
  await logStatusEvent(writer, context, credential, { event, actor: change.actor })
}

/** The entry names no holder: it may be a person, and the log needs only what happened to which credential. */
async function logStatusEvent(
  writer: Writer,
  context: Context,
  credential: IssuedCredential,
  what: Pick<StatusEvent, 'event' | 'actor' | 'sha256'>,
): Promise<void> {
  const entry: StatusEvent = {
    credential: credential.id,
    type: credential.type,
    issuer: credential.issuer_did,
    status_list: statusListUri(context.publicUrl, credential.status_list_id),
    status_index: credential.status_index,
    at: context.now().toISOString(),
    ...what,
  }
  const salt = context.randomBytes(saltBytes)
  await writer.addStatusEvent({ credentialId: credential.id, entry, salt, commitment: commit(salt, entry) })
}

async function issuerOf({ type, claims }: CredentialOrder, reader: Reader, authorityDid: string): Promise<string> {
  const rule = credentialRules[type].issuer
  if (rule === 'authority') return authorityDid
  if (rule === 'root') return requireRoot(reader)
  const utility = typeof claims.metering_point === 'string' ? await reader.utilityOf(claims.metering_point) : undefined
  if (utility === undefined) throw new Problem('metering-point-not-found')
  const party = await reader.party(utility)
  if (party?.status !== 'ACTIVE' || !party.roles.includes('utility')) {
    throw new Problem('party-not-active', { detail: 'The utility of the metering point may not issue credentials now' })
  }
  return utility
}

/** Throws Problem not-ready until the root was made. */
export async function requireRoot(reader: Pick<Reader, 'rootDid'>): Promise<string> {
  const rootDid = await reader.rootDid()
  if (rootDid === undefined) throw new Problem('not-ready', { detail: 'The city has no registrar yet' })
  return rootDid
}
