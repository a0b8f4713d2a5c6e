import { concat, equalBytes, sha256, utf8 } from '@tillit/codec'
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider'
import {
  applyAuthorizationDetails,
  applyRefreshTokenBindings,
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  resolveAndApplyResource,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js'
import { type AskedCredentials, askedCredentials, credentialDetail } from './credential-details.ts'
import { holderKind } from './holder-kind.ts'
import type { OffersOfGrants } from './offer-of-grant.ts'
import type { Offer, OfferStore } from './offer-store.ts'
import type { Store } from './store.ts'
import { preAuthorizedCodeGrantType } from './wallet-clients.ts'

/** How the provider marks tokens that came from a pre-authorized code. */
export const preAuthorizedGrantMark = 'pre_authorized_code'

const parameters = ['pre-authorized_code', 'tx_code', 'scope', 'resource', 'authorization_details']

type GrantContext = TokenEndpointGrantContext<{ 'pre-authorized_code'?: string; tx_code?: string }>

export interface RedemptionPorts {
  publicUrl: string
  store: Store
  offers: OfferStore
  offerOfGrant: OffersOfGrants
}

/**
 * The pre-authorized code flow (OpenID4VCI 1.0 section 6) over the offers that the issuer has made. The provider has a grant for
 * it, but that keeps transaction codes in clear and lets one wrong one end the offer.
 */
export function registerPreAuthorizedCode(provider: Provider, ports: RedemptionPorts): void {
  const redeem = (ctx: GrantContext) => redeemPreAuthorizedCode(provider, ctx, ports)
  provider.registerGrantType(preAuthorizedCodeGrantType, redeem, parameters)
}

async function redeemPreAuthorizedCode(provider: Provider, ctx: GrantContext, ports: RedemptionPorts): Promise<void> {
  const { client, params } = ctx.oidc
  const code = params['pre-authorized_code']
  if (code === undefined) throw new errors.InvalidRequest("missing required parameter 'pre-authorized_code'")
  const proof = await validateDpop(provider, ctx)
  checkDpopRequired(provider, ctx, proof, errors.InvalidDpopProof)

  const offer = await ports.offers.findOfferByCode(sha256(utf8(code)))
  if (!offer) throw invalidGrant('The pre-authorized code is not known, has expired or was withdrawn')
  if (!(await holderKind(offer.holder, ports.store))) throw invalidGrant('The holder of this offer is not active')
  const asked = askedOfOffer(ctx, offer)
  const txCodeIsRight = checkTxCode(offer, params.tx_code)
  await checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidDpopProof)
  // A crash between here and the answer costs the offer: a code that could be redeemed twice would be worse.
  await redeemOnce(ports.offers, offer, txCodeIsRight)
  await issueTokens(provider, ctx, { ...ports, offer, asked, jkt: proof?.thumbprint })
}

interface Redeemed extends RedemptionPorts {
  offer: Offer
  asked: AskedCredentials
  /** The thumbprint of the wallet's key, which both tokens are bound to. */
  jkt: string | undefined
}

async function issueTokens(
  provider: Provider,
  ctx: GrantContext,
  { publicUrl, offerOfGrant, offer, asked, jkt }: Redeemed,
): Promise<void> {
  const { client } = ctx.oidc
  const scope = asked.byScope.join(' ')
  const details = asked.byDetails.length === 0 ? undefined : asked.byDetails.map(credentialDetail)
  const grant = new provider.Grant({ clientId: client.clientId, accountId: offer.holder })
  grant.addResourceScope(publicUrl, scope)
  const grantId = await grant.save()
  await offerOfGrant.remember(grantId, offer.id)
  ctx.oidc.entity('Grant', grant)

  const issued = { client, accountId: offer.holder, grantId, gty: preAuthorizedGrantMark }
  const accessToken = new provider.AccessToken({ ...issued })
  if (jkt) accessToken.setThumbprint('jkt', jkt)
  const source = {
    ...{ scopes: new Set(asked.byScope), resource: publicUrl },
    ...{ resourceIndicators: new Set([publicUrl]), rar: details },
  }
  await resolveAndApplyResource(provider, ctx, source, accessToken, grant)
  await applyAuthorizationDetails(provider, ctx, accessToken, source)
  const refreshToken = new provider.RefreshToken({
    ...{ ...issued, scope, resource: publicUrl },
    ...(details ? { rar: details } : {}),
  })
  await applyRefreshTokenBindings(provider, ctx, accessToken, refreshToken)
  ctx.oidc.entity('AccessToken', accessToken)
  ctx.oidc.entity('RefreshToken', refreshToken)
  ctx.body = buildTokenResponse(provider, {
    accessToken: await accessToken.save(),
    refreshToken: await refreshToken.save(),
    tokenType: accessToken.tokenType,
    expiresIn: accessToken.expiration,
    authorizationDetails: accessToken.rar,
    scope: accessToken.scope || undefined,
  })
}

/** A wallet may ask for less than was offered, in either way; one that asks for nothing gets all of it by scope. */
function askedOfOffer(ctx: GrantContext, offer: Offer): AskedCredentials {
  const offered = new Set(offer.configuration_ids)
  const asked = askedCredentials(ctx.oidc.params, offered)
  if (asked.byDetails.some((id) => !offered.has(id)))
    throw new errors.InvalidAuthorizationDetails('the credential configuration is not in this offer')
  if (asked.byScope.length === 0 && asked.byDetails.length === 0) {
    if (ctx.oidc.params.scope !== undefined)
      throw new errors.InvalidScope('no credential of this offer is asked for', ctx.oidc.params.scope)
    return { byScope: [...offered], byDetails: [] }
  }
  return asked
}

/** Section 6.3: a transaction code that is missing or not expected is an invalid request, and no try. */
function checkTxCode(offer: Offer, txCode: string | undefined): boolean {
  const { tx_code_sha256: expected, tx_code_salt: salt } = offer
  if (!expected || !salt) {
    if (txCode !== undefined) throw new errors.InvalidRequest('no tx_code is expected for this offer')
    return true
  }
  if (txCode === undefined) throw new errors.InvalidRequest('a tx_code is needed for this offer')
  return equalBytes(sha256(concat(salt, utf8(txCode))), expected)
}

async function redeemOnce(offers: OfferStore, offer: Offer, txCodeIsRight: boolean): Promise<void> {
  const redemption = await offers.redeem(offer, txCodeIsRight)
  if (redemption.outcome === 'wrong-tx-code')
    throw invalidGrant(`The transaction code is wrong. Tries that are left: ${redemption.triesLeft}`)
  if (redemption.outcome === 'dead')
    throw invalidGrant('The offer was redeemed before, or its transaction code was wrong too often')
}

/** Unlike the provider's own, it tells the wallet what it can tell the person. */
function invalidGrant(description: string): errors.OIDCProviderError {
  return new errors.CustomOIDCProviderError('invalid_grant', description)
}
