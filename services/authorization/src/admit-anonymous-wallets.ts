import { Provider } from 'oidc-provider'
import { anonymousWalletId, preAuthorizedCodeGrantType } from './wallet-clients.ts'

type Body = Record<string, unknown>

/**
 * Where a wallet does not say who it is, a pre-authorized code is redeemed, and what came of it is refreshed or revoked, by the
 * anonymous client (OpenID4VCI 1.0 section 6.1). The provider knows no request without a client, so that its parsed body
 * gets that client's id.
 */
export function admitAnonymousWallets(provider: Provider): void {
  const bodies = new WeakMap<object, Body>()
  Object.defineProperty(provider.OIDCContext.prototype, 'body', {
    get(this: { route: string }) {
      return bodies.get(this)
    },
    set(this: { route: string }, body: Body) {
      bodies.set(this, isAnonymous(this.route, body) ? { ...body, client_id: anonymousWalletId } : body)
    },
  })
}

function isAnonymous(route: string, body: Body): boolean {
  if (route === 'token') {
    if (body.grant_type !== preAuthorizedCodeGrantType && body.grant_type !== 'refresh_token') return false
  } else if (route !== 'revocation') return false
  const headers = Provider.ctx?.headers ?? {}
  const identified = [
    ...[body.client_id, body.client_assertion, body.client_secret],
    ...[headers.authorization, headers['oauth-client-attestation']],
  ]
  return identified.every((value) => value === undefined)
}
