import { canonicalJson } from '@tillit/codec'
import { commitText, saltBytes } from '@tillit/log'
import type { StatusEvent } from '@tillit/schemas'
import type { Context } from './ports.ts'
import { statusListUri } from './status-list-uri.ts'
import type { IssuedCredential, StatusEventRecord } from './store.ts'

/** What happened to a credential, as the log commits to it. It names no holder: that may be a person. */
export function statusEvent(
  { publicUrl, randomBytes }: Pick<Context, 'publicUrl' | 'randomBytes'>,
  credential: IssuedCredential,
  what: Pick<StatusEvent, 'event' | 'actor' | 'sha256'> & { at: Date },
): StatusEventRecord {
  const { at, ...happened } = what
  const entry: StatusEvent = {
    credential: credential.id,
    type: credential.type,
    issuer: credential.issuer_did,
    status_list: statusListUri(publicUrl, credential.status_list_id),
    status_index: credential.status_index,
    at: at.toISOString(),
    ...happened,
  }
  const text = canonicalJson(entry)
  const salt = randomBytes(saltBytes)
  return { credentialId: credential.id, entry: text, salt, commitment: commitText(salt, text) }
}
