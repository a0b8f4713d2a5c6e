import { sha256, utf8 } from '@tillit/codec'
import { errors } from 'oidc-provider'
import { askedCredentials } from './credential-details.ts'
import type { OfferStore } from './offer-store.ts'

interface WalletRequest {
  scope?: unknown
  authorization_details?: unknown
}

/**
 * A wallet's authorization request asks for at least one credential, and with an issuer state for nothing but what is in that
 * offer (OpenID4VCI 1.0 section 5.1). Throws InvalidScope, InvalidRequest or InvalidAuthorizationDetails.
 */
export async function checkWalletRequest(
  request: WalletRequest,
  issuerState: string | undefined,
  { configurationIds, offers }: { configurationIds: ReadonlySet<string>; offers: OfferStore },
): Promise<void> {
  const { byScope, byDetails } = askedCredentials(request, configurationIds)
  if (byScope.length === 0 && byDetails.length === 0)
    throw new errors.InvalidScope('no credential is asked for', String(request.scope ?? ''))
  if (issuerState === undefined) return
  const offer = await offers.findOfferByIssuerState(sha256(utf8(issuerState)))
  if (!offer) throw new errors.InvalidRequest('the issuer_state is not known, has expired or was withdrawn')
  const isOffered = (id: string) => offer.configuration_ids.includes(id)
  if (!byScope.every(isOffered)) throw new errors.InvalidScope('the offer is not of this credential', byScope.join(' '))
  if (!byDetails.every(isOffered))
    throw new errors.InvalidAuthorizationDetails('the credential configuration is not in the offer')
}
