import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { CredentialResponse, PendingCredentialResponse } from '@tillit/schemas'
import type { Context } from '../ports.ts'
import type { Writer } from '../store.ts'
import { authorizeConfiguration } from './authorize-request.ts'
import { findFact } from './find-fact.ts'
import type { StoredOffer } from './issuance-store.ts'
import { type IssuanceOrder, issueForKeys } from './issue-for-keys.ts'
import { digestOf, newSecret } from './told-secret.ts'

/** How long a wallet should wait before it asks again, in seconds. */
const deferredIntervalSeconds = 60

/** How long the one who has to say it may take, in milliseconds: as long as a permission waits for its answer. */
const deferredLifeMilliseconds = 14 * 24 * 3600 * 1000

/** Keeps what was asked and for which keys, until the fact is there (OpenID4VCI 1.0 section 8.3). */
export async function deferIssuance(
  writer: Writer,
  context: Context,
  { caller, configuration, keys, offer }: IssuanceOrder & { offer: StoredOffer },
): Promise<PendingCredentialResponse> {
  const { secret, digest } = newSecret(context)
  await writer.addDeferredIssuance({
    sha256: digest,
    holder: caller.id,
    configuration_id: configuration.id,
    offer_id: offer.id,
    keys: JSON.stringify(keys),
    expires_at: new Date(context.now().getTime() + deferredLifeMilliseconds),
  })
  return { transaction_id: secret, interval: deferredIntervalSeconds }
}

/**
 * Section 9: the credentials, or the word that they take more time. The transaction ends with its credentials. Throws Problem
 * invalid-transaction-id, insufficient-scope, credential-request-denied and those of issuing.
 */
export async function requestDeferredCredentials(
  context: Context,
  caller: Caller,
  transactionId: string,
): Promise<CredentialResponse | PendingCredentialResponse> {
  const digest = digestOf(transactionId)
  return context.store.write(async (writer) => {
    const deferred = await writer.deferredIssuance(digest, { holder: caller.id, now: context.now() })
    if (!deferred) throw new Problem('invalid-transaction-id')
    const configuration = authorizeConfiguration(caller, deferred.configuration_id)
    const offer = await writer.lockOffer(deferred.offer_id)
    if (!offer || offer.withdrawn_at !== null)
      throw new Problem('credential-request-denied', { detail: 'The offer was withdrawn' })
    const fact = await findFact(writer, context, { configuration, resource: null, holder: caller, offer })
    if (fact === null) return { transaction_id: transactionId, interval: deferredIntervalSeconds }
    await writer.endDeferredIssuance(digest)
    return issueForKeys(writer, context, { caller, configuration, keys: deferred.keys, offer, fact })
  })
}
