import { encodeId, idBytes, sha256, toHex, utf8 } from '@tillit/codec'
import {
  addProof,
  bitstringEntry,
  credentialRules,
  envelopCredential,
  isCredentialType,
  type JsonObject,
  secureVcJwt,
  statusPurposes,
  type VcdmCredential,
  validateVcdm2,
  vcdmClaims,
} from '@tillit/credential'
import { Problem } from '@tillit/problem'
import type { CredentialType, VcApiIssueRequest } from '@tillit/schemas'
import { allocateStatusIndex } from '../allocate-status-index.ts'
import { requireIssuer, requireKey, requireRoot } from '../issue-credential.ts'
import type { Context, HostedIssuer } from '../ports.ts'
import { statusEvent } from '../status-event.ts'
import { bitstringListUri } from '../status-list-uri.ts'
import type { CredentialRecord, Writer } from '../store.ts'

/**
 * Issues a credential that the caller has written (W3C VC-API). The caller is its issuer, whose key this city keeps and for
 * whom VC-API is enabled; a credential of one of our types must fit its schema and come from whoever may issue the type. Throws
 * Problem role-required, untrusted-issuer, party-not-active, invalid-credential, conflict (the name was given before).
 */
export async function issueVcApi(
  context: Context,
  callerDid: string,
  { credential, options = {} }: VcApiIssueRequest,
): Promise<{ verifiableCredential: JsonObject }> {
  requireEnabled(context, callerDid)
  const unsecured = unsecuredDocument(credential, callerDid)
  const now = context.now()
  return context.store.write(async (writer) => {
    const issuer = await requireKey(writer, context, callerDid)
    const format = options.format ?? (issuer.signer.alg === 'EdDSA' ? 'eddsa-jcs-2022' : 'vc+jwt')
    const place = await allocateStatusIndex(writer, context.statusListSize)
    const document: JsonObject = { ...unsecured, credentialStatus: statusEntries(context, place) }
    const checked = validateVcdm2(document)
    const type = typeOf(checked)
    const claims = type === 'VerifiableCredential' ? {} : vcdmClaims(checked, type)
    await requireMayIssue(writer, context, { type, issuerDid: callerDid, claims })
    const verifiableCredential = await secure(document, { issuer, format, now })
    const record: CredentialRecord = {
      ...{ id: encodeId('cred', context.randomBytes(idBytes)), type, issuer_did: callerDid },
      holder: holderOf(checked) ?? callerDid,
      metering_point_id: typeof claims.metering_point === 'string' ? claims.metering_point : null,
      ...{ status: 'valid', status_list_id: place.listId, status_index: place.idx },
      ...{ issued_at: now, expires_at: checked.validUntil },
      ...{ sha256: sha256(utf8(JSON.stringify(verifiableCredential))), credential: null },
      claims: type === 'MeterDeviceCredential' ? { ...claims } : null,
    }
    const issued = { event: 'issued', actor: callerDid, at: now, sha256: toHex(record.sha256) } as const
    await writer.addCredentials([{ record, event: statusEvent(context, record, issued) }])
    const name = options.credentialId ?? (typeof document.id === 'string' ? document.id : undefined)
    if (name !== undefined) await giveName(writer, { issuerDid: callerDid, name, credentialId: record.id })
    return { verifiableCredential }
  })
}

function statusEntries({ publicUrl }: Context, { listId, idx }: { listId: number; idx: number }): JsonObject[] {
  return statusPurposes.map((purpose) =>
    bitstringEntry({ purpose, idx, uri: bitstringListUri(publicUrl, listId, purpose) }),
  )
}

/** Throws Problem role-required unless the operator lets the organisation use VC-API to issue. */
export function requireEnabled({ vcApiIssuers }: Pick<Context, 'vcApiIssuers'>, did: string): void {
  if (!vcApiIssuers.includes(did))
    throw new Problem('role-required', { detail: 'VC-API is not enabled for this issuer' })
}

export function digestOfName(name: string): Uint8Array {
  return sha256(utf8(name))
}

function unsecuredDocument(credential: JsonObject, issuerDid: string): { readonly [name: string]: unknown } {
  for (const name of ['proof', 'credentialStatus'])
    if (credential[name] !== undefined)
      throw new Problem('invalid-credential', { detail: 'The issuer service adds this itself', pointer: `/${name}` })
  const { issuer = issuerDid } = credential
  const id = issuer !== null && typeof issuer === 'object' && 'id' in issuer ? issuer.id : issuer
  if (id !== issuerDid)
    throw new Problem('invalid-credential', { detail: 'The issuer is not the caller', pointer: '/issuer' })
  return { ...credential, issuer }
}

/** One of ours, or any other, which nobody here trusts for anything. */
function typeOf({ types }: VcdmCredential): CredentialType | 'VerifiableCredential' {
  const ours = types.filter(isCredentialType)
  if (ours.length > 0 && types.length > 2)
    throw new Problem('invalid-credential', { detail: 'A type of ours stands beside others', pointer: '/type' })
  return ours[0] ?? 'VerifiableCredential'
}

async function requireMayIssue(
  writer: Writer,
  context: Context,
  what: { type: CredentialType | 'VerifiableCredential'; issuerDid: string; claims: JsonObject },
): Promise<void> {
  const { type, issuerDid, claims } = what
  if (type === 'VerifiableCredential') return requireActive(writer, issuerDid)
  const rule = credentialRules[type].issuer
  const root = await requireRoot(writer)
  if (rule === 'authority' && issuerDid !== context.authorityDid) throw mayNot('Only the authority issues this')
  // Or it would be one that the trust registry does not know, and cannot suspend.
  if (rule === 'root') throw mayNot('The registrar accredits organisations in the trust registry')
  await requireIssuer(writer, type, issuerDid)
  if (issuerDid !== root) await requireOwnPoint(writer, issuerDid, { rule, claims })
}

/** What a utility says is about a metering point of its own, under that point's number. */
async function requireOwnPoint(
  writer: Writer,
  issuerDid: string,
  { rule, claims }: { rule: (typeof credentialRules)[CredentialType]['issuer']; claims: JsonObject },
): Promise<void> {
  const { metering_point: id, gsrn } = claims
  if (typeof id !== 'string') {
    if (rule === 'root-or-utility') throw mayNot('Only the registrar says this of more than a metering point')
    return
  }
  const [point] = await writer.meteringPointsOf(issuerDid, { ids: [id], gsrns: [] })
  if (!point) throw mayNot('The metering point is not one of the issuer')
  if (gsrn !== undefined && gsrn !== point.gsrn)
    throw new Problem('invalid-credential', {
      detail: 'gsrn and metering_point are not the same',
      pointer: '/credentialSubject/gsrn',
    })
}

async function requireActive(writer: Writer, did: string): Promise<void> {
  await writer.holdParty(did)
  if ((await writer.party(did))?.status !== 'ACTIVE') throw new Problem('party-not-active')
}

function mayNot(detail: string): Problem {
  return new Problem('role-required', { detail })
}

/** Kept to tell whom a credential is about, where that is a DID. */
function holderOf({ subjects }: VcdmCredential): string | undefined {
  const [subject] = subjects
  return typeof subject?.id === 'string' && subject.id.startsWith('did:') ? subject.id : undefined
}

async function secure(
  document: JsonObject,
  { issuer, format, now }: { issuer: HostedIssuer; format: 'eddsa-jcs-2022' | 'vc+jwt'; now: Date },
): Promise<JsonObject> {
  if (format === 'vc+jwt') return envelopCredential(await secureVcJwt(document, issuer))
  return addProof(document, { ...issuer, purpose: 'assertionMethod', created: now })
}

async function giveName(
  writer: Writer,
  { issuerDid, name, credentialId }: { issuerDid: string; name: string; credentialId: string },
): Promise<void> {
  if (!(await writer.addVcApiName({ issuerDid, sha256: digestOfName(name), credentialId })))
    throw new Problem('conflict', { detail: 'The issuer has issued a credential with this id before' })
}
