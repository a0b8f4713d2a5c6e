import { isFault, isProblem, Problem } from '@tillit/problem'
import type { AuthenticClaims } from './authentic-credential.ts'

export type CredentialStatus = 'valid' | 'revoked' | 'suspended'

/** Tells the status behind a reference; throws when it cannot be known. Must verify lists under their own issuer's key. */
export type ReadStatus = (uri: string, idx: number) => Promise<CredentialStatus>

/**
 * The worst that any of its references says. Throws Problem status-unknown when there is none or one leads nowhere. Faults of
 * reading go on as they are: they say nothing of the credential.
 */
export async function statusOf(
  { statusReferences }: Pick<AuthenticClaims, 'statusReferences'>,
  read: ReadStatus,
): Promise<CredentialStatus> {
  if (statusReferences.length === 0)
    throw new Problem('status-unknown', { detail: 'The credential says nowhere where its status stands' })
  try {
    const statuses = await Promise.all(statusReferences.map(({ uri, idx }) => read(uri, idx)))
    return worstFirst.find((status) => statuses.includes(status)) ?? 'valid'
  } catch (cause) {
    if (!isProblem(cause) || isFault(cause)) throw cause
    throw new Problem('status-unknown', { detail: cause.message, cause })
  }
}

const worstFirst: readonly CredentialStatus[] = ['revoked', 'suspended']

/** Throws Problem credential-revoked or status-unknown, and faults of reading as they are. */
export async function refuseUnlessValid(
  credential: Pick<AuthenticClaims, 'statusReferences'>,
  read: ReadStatus,
): Promise<void> {
  const status = await statusOf(credential, read)
  if (status !== 'valid') throw new Problem('credential-revoked', { detail: `The credential is ${status}` })
}
