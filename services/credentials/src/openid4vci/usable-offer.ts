import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { Writer } from '../store.ts'
import type { CredentialConfiguration } from './credential-configurations.ts'
import type { StoredOffer } from './issuance-store.ts'

/**
 * The offer that the access token came from, if any. Its end does not matter any more, for the token was got before it; but
 * a withdrawal does. Throws Problem credential-request-denied.
 */
export async function usableOffer(
  writer: Writer,
  caller: Caller,
  configuration: CredentialConfiguration,
): Promise<StoredOffer | null> {
  if (caller.offer === undefined) return null
  const offer = await writer.lockOffer(caller.offer)
  if (offer?.holder !== caller.id || !offer.configuration_ids.includes(configuration.id))
    throw new Problem('credential-request-denied', { detail: 'The offer is not for this' })
  if (offer.withdrawn_at !== null) throw new Problem('credential-request-denied', { detail: 'The offer was withdrawn' })
  return offer
}
