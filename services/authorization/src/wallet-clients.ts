import type { ClientMetadata } from 'oidc-provider'
import { credentialDetailsType } from './credential-details.ts'
import { formTargetOf, isNative, type Wallet } from './wallets.ts'

export const preAuthorizedCodeGrantType = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

/** Who redeems a pre-authorized code without saying who they are (OpenID4VCI 1.0 section 6.1). */
export const anonymousWalletId = 'anonymous-wallet'

/** The wallets of the configuration and the anonymous one, as client metadata (RFC 7591). */
export function walletClients(wallets: readonly Wallet[], scope: string): ClientMetadata[] {
  return [...wallets.map((wallet) => walletMetadata(wallet, scope)), anonymousMetadata(scope)]
}

/**
 * Whether pages of an origin may call the endpoints for a client: those of the city and of the wallet itself, for the anonymous
 * one all. Nothing that a browser adds by itself counts there, so that a page can do no more than its user could.
 */
export function mayCallFrom(
  origin: string,
  { clientId, wallet, publicUrl }: { clientId: string; wallet: Wallet | undefined; publicUrl: string },
): boolean {
  if (clientId === anonymousWalletId) return true
  return wallet !== undefined && [publicUrl, ...wallet.redirect_uris.map(formTargetOf)].includes(origin)
}

function walletMetadata(wallet: Wallet, scope: string): ClientMetadata {
  return {
    client_id: wallet.client_id,
    client_name: wallet.name,
    application_type: isNative(wallet) ? 'native' : 'web',
    redirect_uris: wallet.redirect_uris,
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', preAuthorizedCodeGrantType],
    scope,
    token_endpoint_auth_method: wallet.attestation_keys ? 'attest_jwt_client_auth' : 'none',
    dpop_bound_access_tokens: true,
    authorization_details_types: [credentialDetailsType],
  }
}

function anonymousMetadata(scope: string): ClientMetadata {
  return {
    client_id: anonymousWalletId,
    redirect_uris: [],
    response_types: [],
    grant_types: [preAuthorizedCodeGrantType, 'refresh_token'],
    scope,
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
    authorization_details_types: [credentialDetailsType],
  }
}
