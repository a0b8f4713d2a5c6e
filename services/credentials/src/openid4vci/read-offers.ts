import { Problem } from '@tillit/problem'
import { type CredentialOffer, type NewOffer, type Offer, preAuthorizedCodeGrant } from '@tillit/schemas'
import { renderSVG } from 'uqr'
import type { Context } from '../ports.ts'
import type { StoredOffer } from './issuance-store.ts'
import { endpoints } from './issuer-metadata.ts'
import { offerCode, txCodeDigits } from './offer-codes.ts'

/** ISO/IEC 18004 section 9.1: the quiet zone that readers rely on, in modules. */
const quietModules = 4

export const offerSchemes = ['openid-credential-offer', 'haip-vci'] as const
type OfferScheme = (typeof offerSchemes)[number]

/** OpenID4VCI 1.0 section 4.1.3: the offer by reference, since one by value makes a QR code that few phones read. */
function offerLink(publicUrl: string, id: string, scheme: OfferScheme): string {
  return `${scheme}://?credential_offer_uri=${encodeURIComponent(offerUri(publicUrl, id))}`
}

export function offerLinks(publicUrl: string, id: string): Pick<NewOffer, 'credential_offer_uri' | 'links' | 'qr'> {
  return {
    credential_offer_uri: offerUri(publicUrl, id),
    links: {
      openid_credential_offer: offerLink(publicUrl, id, 'openid-credential-offer'),
      haip_vci: offerLink(publicUrl, id, 'haip-vci'),
    },
    qr: `${offerUri(publicUrl, id)}/qr.svg`,
  }
}

/** What a wallet fetches (section 4.1.1). Throws Problem not-found for an offer that does not stand any more. */
export async function readOffer(context: Context, id: string): Promise<CredentialOffer> {
  const offer = await standingOffer(context, id)
  const code = offerCode(context, id)
  const authorization_server = `${context.publicUrl}/oauth`
  return {
    credential_issuer: context.publicUrl,
    credential_configuration_ids: offer.configuration_ids,
    grants:
      offer.code_sha256 === null
        ? { authorization_code: { issuer_state: code, authorization_server } }
        : {
            [preAuthorizedCodeGrant]: {
              'pre-authorized_code': code,
              authorization_server,
              ...(offer.tx_code_sha256 === null ? {} : { tx_code: { input_mode: 'numeric', length: txCodeDigits } }),
            },
          },
  }
}

/** The link as a QR code, an SVG image. Throws Problem not-found. */
export async function drawOffer(context: Context, id: string, scheme: OfferScheme): Promise<string> {
  await standingOffer(context, id)
  return renderSVG(offerLink(context.publicUrl, id, scheme), { border: quietModules })
}

/** Offers that the caller made, in the order of their ids. */
export async function listOffers(
  { store, now }: Context,
  callerId: string,
  { after, limit }: { after: string; limit: number },
): Promise<{ offers: Offer[]; next?: string }> {
  const rows = await store.listOffers(callerId, after, limit + 1)
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return { offers: page.map((row) => toOffer(row, now())), ...(last === undefined ? {} : { next: last.id }) }
}

/** Nothing is issued under it from now on, also not to tokens that it already gave. Throws Problem not-found. */
export async function withdrawOffer({ store, now }: Context, callerId: string, id: string): Promise<void> {
  const known = await store.write((writer) => writer.withdrawOffer(id, { offeredBy: callerId, at: now() }))
  if (!known) throw new Problem('not-found', { detail: 'The caller made no such offer' })
}

export function toOffer(offer: StoredOffer, now: Date): Offer {
  return {
    id: offer.id,
    holder: offer.holder,
    configuration_ids: offer.configuration_ids,
    state: stateOf(offer, now),
    created_at: offer.created_at.toISOString(),
    expires_at: offer.expires_at.toISOString(),
  }
}

function stateOf({ withdrawn_at, redeemed_at, expires_at }: StoredOffer, now: Date): Offer['state'] {
  if (withdrawn_at !== null) return 'withdrawn'
  if (redeemed_at !== null) return 'redeemed'
  return expires_at <= now ? 'expired' : 'open'
}

/** Whoever has the id has the offer, so one that has ended is told apart from none by nobody. */
async function standingOffer({ store, now }: Context, id: string): Promise<StoredOffer> {
  const offer = await store.offer(id)
  if (!offer || stateOf(offer, now()) !== 'open') throw new Problem('not-found', { detail: 'There is no such offer' })
  return offer
}

function offerUri(publicUrl: string, id: string): string {
  return `${publicUrl}${endpoints.offers}/${id}`
}
