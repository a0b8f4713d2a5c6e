import { Problem } from '@tillit/problem'
import type { AuthenticCredential } from './authenticate-sd-jwt-vc.ts'

export type CredentialStatus = 'valid' | 'revoked' | 'suspended'

/** Tells the status behind a reference; throws when it cannot be known. Must verify lists under their own issuer's key. */
export type ReadStatus = (uri: string, idx: number) => Promise<CredentialStatus>

/** Throws Problem status-unknown when there is no status or it cannot be read. */
export async function statusOf(credential: AuthenticCredential, read: ReadStatus): Promise<CredentialStatus> {
  const reference = credential.statusReference
  if (!reference) throw new Problem('status-unknown', { detail: 'The credential says nowhere where its status stands' })
  try {
    return await read(reference.uri, reference.idx)
  } catch (cause) {
    throw new Problem('status-unknown', {
      detail: cause instanceof Problem ? cause.message : 'The status could not be read',
      cause,
    })
  }
}

/** Throws Problem credential-revoked or status-unknown. */
export async function refuseUnlessValid(credential: AuthenticCredential, read: ReadStatus): Promise<void> {
  const status = await statusOf(credential, read)
  if (status !== 'valid') throw new Problem('credential-revoked', { detail: `The credential is ${status}` })
}
