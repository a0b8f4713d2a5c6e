import type { NewOffer, Offer } from '@tillit/schemas'
import { city } from './city.ts'

const entitlement = 'MeteringPointEntitlement'
const offersPath = '/openid4vci/offers'
const pageSize = 100
/** Nobody makes more offers than this many pages hold; a server that gives pages without end is not followed. */
const maxPages = 20

/** An offer that stands, as the page shows it. */
export interface StandingOffer {
  id: string
  /** Opens a wallet on this device (OpenID4VCI 1.0 section 4.1). */
  link: string
  /** The address of the link as a QR code, an SVG image. */
  qr: string
  /** The transaction code: digits. */
  code: string
  /** When it ends by this browser's clock, which may be another than the city's. */
  endsAtMilliseconds: number
}

/**
 * Offers the customer the proof that a metering point is theirs, for a wallet elsewhere; without `meteringPoint` one that they
 * hold no proof of yet. The customer is named, so that the city refuses when another one has signed in meanwhile. Throws CityError.
 */
export async function makeOffer(customer: string, meteringPoint: string | undefined): Promise<StandingOffer> {
  const offer = await city.post<NewOffer>(offersPath, {
    holder: customer,
    configuration_ids: [entitlement],
    tx_code: true,
    ...(meteringPoint === undefined ? {} : { resource: meteringPoint }),
  })
  if (offer.tx_code === undefined) throw new Error('The city made no code for the offer. Try again.')
  const lastsMilliseconds = Date.parse(offer.expires_at) - Date.parse(offer.created_at)
  return {
    id: offer.id,
    link: offer.links.openid_credential_offer,
    qr: offer.qr,
    code: offer.tx_code,
    endsAtMilliseconds: Date.now() + lastsMilliseconds,
  }
}

/** What became of an offer that the customer made. Throws CityError, and Error when they made no such offer. */
export async function readOfferState(id: string): Promise<Offer['state']> {
  let after: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const query = { limit: pageSize, after }
    const answer = await city.get<{ offers: Offer[]; next?: string }>(offersPath, { query })
    const found = answer.offers.find((offer) => offer.id === id)
    if (found !== undefined) return found.state
    if (answer.next === undefined) break
    after = answer.next
  }
  throw new Error('The city does not know this offer as yours. Load the page again.')
}

/**
 * Takes an offer back unless it has ended already, and gives how it ended: the city would also let an offer be withdrawn whose
 * credential is in a wallet, and then it is not to be said that nobody has it. Throws as readOfferState does.
 */
export async function takeBack(id: string): Promise<Exclude<Offer['state'], 'open'>> {
  const state = await readOfferState(id)
  if (state !== 'open') return state
  await city.text('DELETE', `${offersPath}/${id}`)
  return 'withdrawn'
}
