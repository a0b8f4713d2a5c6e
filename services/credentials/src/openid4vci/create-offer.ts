import { sha256, utf8 } from '@tillit/codec'
import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { NewOffer, OfferRequest } from '@tillit/schemas'
import type { Context } from '../ports.ts'
import { newOfferId, newTxCode, offerCode } from './offer-codes.ts'
import { giftOf } from './offer-gift.ts'
import { offerLinks, toOffer } from './read-offers.ts'

/** How long an offer stands unless it is said: a while for somebody in front of a screen, longer for a letter. In seconds. */
const ownLifeSeconds = 600
const lifeSeconds = 7 * 24 * 3600

/**
 * Offers credentials to a holder: an organisation those that it issues, a customer their own to a wallet of theirs. Throws the
 * Problems of giftOf, and invalid-request.
 */
export async function createOffer(context: Context, caller: Caller, request: OfferRequest): Promise<NewOffer> {
  const preAuthorized = request.grant !== 'authorization_code'
  if (!preAuthorized && request.tx_code === true)
    throw new Problem('invalid-request', { detail: 'Whoever signs in needs no code', pointer: '/tx_code' })
  const { holder, resource, claims } = await giftOf(context, caller, request)
  const id = newOfferId(context)
  const digest = sha256(utf8(offerCode(context, id)))
  const tx = preAuthorized && request.tx_code !== false ? newTxCode(context) : null
  const now = context.now()
  const lasts = request.expires_in ?? (holder === caller.id ? ownLifeSeconds : lifeSeconds)
  const row = {
    id,
    offered_by: caller.id,
    holder,
    configuration_ids: request.configuration_ids,
    resource,
    claims,
    code_sha256: preAuthorized ? digest : null,
    issuer_state_sha256: preAuthorized ? null : digest,
    tx_code_salt: tx?.salt ?? null,
    tx_code_sha256: tx?.digest ?? null,
    created_at: now,
    expires_at: new Date(now.getTime() + lasts * 1000),
    withdrawn_at: null,
    redeemed_at: null,
  }
  await context.store.write((writer) =>
    writer.addOffer({ ...row, claims: claims === null ? null : JSON.stringify(claims) }),
  )
  return {
    ...toOffer(row, now),
    ...offerLinks(context.publicUrl, id),
    ...(tx === null ? {} : { tx_code: tx.txCode }),
  }
}
