import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { CredentialRequest, CredentialResponse, PendingCredentialResponse } from '@tillit/schemas'
import { consumeNonce } from '../issue-nonce.ts'
import type { Context } from '../ports.ts'
import { type AuthorizedRequest, authorizeRequest } from './authorize-request.ts'
import { deferIssuance } from './defer-issuance.ts'
import { findFact } from './find-fact.ts'
import type { StoredOffer } from './issuance-store.ts'
import { issueForKeys } from './issue-for-keys.ts'
import { usableOffer } from './usable-offer.ts'
import { verifyProofs } from './verify-proofs.ts'

/**
 * OpenID4VCI 1.0 section 8: credentials about one thing, one for each key that is proven. Under an offer of the one who will say
 * so, what cannot be said yet is deferred. Throws the Problems of authorizeRequest and verifyProofs, invalid-nonce,
 * credential-request-denied, and those of issuing.
 */
export async function requestCredentials(
  context: Context,
  caller: Caller,
  request: CredentialRequest,
): Promise<CredentialResponse | PendingCredentialResponse> {
  const authorized = authorizeRequest(caller, request)
  const { keys, nonces } = await verifyProofs(request.proofs, caller, context)
  return context.store.write(async (writer) => {
    for (const nonce of nonces) await consumeNonce(writer, nonce, context.now())
    const offer = await usableOffer(writer, caller, authorized.configuration)
    const order = { configuration: authorized.configuration, caller, keys, offer }
    const fact = await findFact(writer, context, { ...authorized, holder: caller, offer })
    if (fact !== null) return issueForKeys(writer, context, { ...order, fact })
    if (offer !== null && mayStillCome(offer, authorized)) return deferIssuance(writer, context, { ...order, offer })
    throw new Problem('credential-request-denied', { detail: 'There is nothing of this kind to say about the holder' })
  })
}

/**
 * Whoever offered something of their own will say it some time. What was named by its identifier, or said in the offer, was there,
 * and is not any more.
 */
function mayStillCome(offer: StoredOffer, { resource }: AuthorizedRequest): boolean {
  return offer.offered_by !== offer.holder && offer.claims === null && resource === null
}
