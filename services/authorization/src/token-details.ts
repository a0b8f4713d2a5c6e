import type { CredentialAuthorization } from '@tillit/http'
import {
  type AccessToken,
  type AuthorizationDetail,
  type ClientCredentials,
  errors,
  type JWTStructured,
  type KoaContextWithOIDC,
} from 'oidc-provider'
import { configurationIdsOf, credentialDetailsType } from './credential-details.ts'
import type { CallerKind } from './find-client.ts'

type Token = AccessToken | ClientCredentials

/**
 * The credential identifiers (OpenID4VCI 1.0 section 6.2) of what the issuer could issue to a holder under a configuration now:
 * a customer may hold several metering points, of which the offer that the token comes from may be about one. Empty when it is not
 * there yet.
 */
export type CredentialIdentifiers = (
  holder: { kind: CallerKind; id: string },
  configurationId: string,
  offerId?: string,
) => Promise<readonly string[]>

export interface TokenDetailsPorts {
  credentialIdentifiers: CredentialIdentifiers
  subjectOf(token: Token): Promise<{ kind: CallerKind; id: string }>
  offerOf(token: Token): Promise<string | undefined>
}

/** What access tokens say that they are for. */
export function tokenDetails({ credentialIdentifiers, subjectOf, offerOf }: TokenDetailsPorts) {
  const identified = async (token: Token, configurationIds: readonly string[]): Promise<CredentialAuthorization[]> => {
    if (configurationIds.length === 0) return []
    const [holder, offer] = await Promise.all([subjectOf(token), offerOf(token)])
    return Promise.all(
      configurationIds.map(async (id) => {
        const identifiers = await credentialIdentifiers(holder, id, offer)
        return {
          type: credentialDetailsType,
          credential_configuration_id: id,
          credential_identifiers: identifiers.length > 0 ? [...identifiers] : [id],
        }
      }),
    )
  }

  return {
    /**
     * The details of a token that was asked for by details: for machines what they ask (their standing is looked at when they
     * ask for the credential), for wallets at most what they were granted (RFC 9396 section 6). Throws
     * InvalidAuthorizationDetails.
     */
    async ofToken(
      ctx: KoaContextWithOIDC,
      token: Token,
      source: { rar?: readonly AuthorizationDetail[] | undefined } | undefined,
    ): Promise<AuthorizationDetail[]> {
      const asked = configurationIdsOf(ctx.oidc.params?.authorization_details)
      const granted = (source?.rar ?? []).map((detail) => String(detail.credential_configuration_id))
      if (token.kind === 'AccessToken' && !asked.every((id) => granted.includes(id)))
        throw new errors.InvalidAuthorizationDetails('the credential configuration was not granted')
      return (await identified(token, asked.length > 0 ? asked : granted)).map((detail) => ({ ...detail }))
    },

    /**
     * Says in a token what it is for, also when it was asked for by scope. A wallet's token always says it, if need be that it
     * is for nothing: one that does not is for everything the person may do.
     */
    async write(token: Token, { payload }: JWTStructured): Promise<void> {
      const known: readonly AuthorizationDetail[] = token.rar ?? []
      const byDetails = new Set(known.map((detail) => detail.credential_configuration_id))
      const scopes = (token.scope ?? '').split(' ').filter((scope) => scope !== '' && !byDetails.has(scope))
      const details = [...known, ...(await identified(token, scopes))]
      if (token.kind === 'AccessToken' || details.length > 0) payload.authorization_details = details
    },
  }
}
