import { encodeId, idBytes, sha256, toHex, utf8 } from '@tillit/codec'
import { credentialRules } from '@tillit/credential'
import { credentialExpiry, toTheHour } from './credential-expiry.ts'
import type { CredentialOrder } from './issue-credential.ts'
import type { Context, HostedIssuer } from './ports.ts'
import { signCredential } from './sign-credential.ts'
import { statusEvent } from './status-event.ts'
import type { CredentialRecord, StatusEventRecord } from './store.ts'

/** Signed, and worth nothing until its record has been committed. */
export interface MadeCredential {
  credential: string
  record: CredentialRecord
  event: StatusEventRecord
}

export interface Making {
  issuerDid: string
  issuer: HostedIssuer
  /** Its status index, which nobody else has. */
  place: { listId: number; idx: number }
  now: Date
  /** Given where the same credential is made once more. */
  id?: string
}

/** Signs a credential and writes down what is kept of it. Throws Problem invalid-credential, weak-key or invalid-key. */
export async function makeCredential(
  context: Pick<Context, 'publicUrl' | 'randomBytes'>,
  order: CredentialOrder,
  { issuerDid, issuer, place, now, id = encodeId('cred', context.randomBytes(idBytes)) }: Making,
): Promise<MadeCredential> {
  const { type, holder, claims } = order
  const holderName = holder.did ?? order.customerId
  if (holderName === undefined) throw new TypeError('a credential needs a holder who can be named')
  const due = order.expires ?? (credentialRules[type].issuer === 'authority' ? null : credentialExpiry(now))
  // RFC 9901 section 10.1: a time to the second would tell which credentials of a person came together.
  const isPerson = holder.did === undefined
  const expires = isPerson && due !== null && toTheHour(due) > now ? toTheHour(due) : due
  const issuance = {
    ...{ type, issuerDid, claims, id },
    ...(holder.did === undefined ? {} : { subjectDid: holder.did }),
    holderJwk: holder.jwk,
    issuedAt: isPerson ? toTheHour(now) : now,
    ...(expires === null ? {} : { expires }),
  }
  const { format = 'dc+sd-jwt' } = order
  const credential = await signCredential(context, issuance, { format, issuer, place })
  const digest = sha256(utf8(credential))
  const record: CredentialRecord = {
    id,
    type,
    issuer_did: issuerDid,
    holder: holderName,
    metering_point_id: typeof claims.metering_point === 'string' ? claims.metering_point : null,
    status: 'valid',
    status_list_id: place.listId,
    status_index: place.idx,
    issued_at: now,
    expires_at: expires,
    sha256: digest,
    credential: type === 'OrganisationCredential' ? credential : null,
    claims: type === 'MeterDeviceCredential' ? claims : null,
  }
  const event = statusEvent(context, record, { event: 'issued', actor: issuerDid, at: now, sha256: toHex(digest) })
  return { credential, record, event }
}
