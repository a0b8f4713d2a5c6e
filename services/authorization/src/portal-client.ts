import type { PublicJwk } from '@tillit/schemas'
import type { ClientMetadata, KoaContextWithOIDC } from 'oidc-provider'

/** A person signed in; the portal asks for nothing else. */
export const personScope = 'openid'

export interface PortalClient {
  clientId: string
  redirectUris: string[]
  postLogoutRedirectUris?: string[]
  /** Public keys the portal signs its assertions with. */
  jwks: { keys: (PublicJwk & { kid?: string })[] }
}

/** A sign-in at the portal is its grant: made once a session, gone with it. */
export async function grantOfSession(ctx: KoaContextWithOIDC, publicUrl: string) {
  const { client, session, provider } = ctx.oidc
  if (!client || !session?.accountId) return undefined
  const grantId = session.grantIdFor(client.clientId)
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  // Revoking a refresh token takes its grant with it, but the person is still signed in.
  if (known) return known
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope(personScope)
  grant.addResourceScope(publicUrl, personScope)
  await grant.save()
  return grant
}

export function portalMetadata({
  clientId,
  redirectUris,
  postLogoutRedirectUris = [],
  jwks,
}: PortalClient): ClientMetadata {
  return {
    client_id: clientId,
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: personScope,
    token_endpoint_auth_method: 'private_key_jwt',
    dpop_bound_access_tokens: true,
    jwks,
  }
}
