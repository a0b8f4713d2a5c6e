import { type Json, sha256, toBase64url, utf8 } from '@tillit/codec'
import { thumbprint } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { jsonOf } from './ask.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { clientAuthentication } from './client-authentication.ts'
import { type DpopSession, openDpopSession, postWithDpop } from './dpop.ts'
import type { IssuerMetadata } from './issuer-metadata.ts'
import { isObject, readMembers } from './read-members.ts'
import type { WalletContext } from './wallet-context.ts'
import type { WalletKey } from './wallet-store.ts'

/** A token for the credential endpoint, the key it is bound to, and which credentials it is good for. */
export interface Authorization {
  readonly accessToken: string
  readonly refreshToken: string | null
  readonly dpop: DpopSession
  readonly dpopKeyId: string
  /** By configuration: the credential identifiers that the server named (OpenID4VCI 1.0 section 6.2). */
  readonly credentialIdentifiers: ReadonlyMap<string, readonly string[]>
}

/**
 * A pre-authorized code, and the transaction code that came another way (OpenID4VCI 1.0 section 6.1). Asks for those of the
 * offered credentials that are wanted, where the server understands that.
 */
export function requestTokenForOffer(
  context: WalletContext,
  metadata: IssuerMetadata,
  { code, txCode, configurationIds }: { code: string; txCode: string | null; configurationIds: readonly string[] },
): Promise<Authorization> {
  return requestToken(context, metadata, {
    grant_type: 'urn:ietf:params:oauth:grant-type:pre-authorized_code',
    'pre-authorized_code': code,
    ...(txCode === null ? {} : { tx_code: txCode }),
    ...(metadata.authorizationServer.takesDetails
      ? { authorization_details: detailsFor(metadata, configurationIds) }
      : {}),
  })
}

/** The authorization details of OpenID4VCI 1.0 section 5.1.1. */
export function detailsFor(
  { credentialIssuer, namesServers }: IssuerMetadata,
  configurationIds: readonly string[],
): string {
  const locations = namesServers ? { locations: [credentialIssuer] } : {}
  const details = configurationIds.map((id) => ({
    type: 'openid_credential',
    credential_configuration_id: id,
    ...locations,
  }))
  return JSON.stringify(details)
}

/** A DID that signs in for itself, without a browser (RFC 6749 section 4.4 with RFC 7523). */
export function requestTokenAsIdentity(context: WalletContext, metadata: IssuerMetadata): Promise<Authorization> {
  return requestToken(context, metadata, { grant_type: 'client_credentials', resource: metadata.credentialIssuer })
}

/** The code that came back from the browser (RFC 6749 section 4.1.3, RFC 7636). */
export function requestTokenForCode(
  context: WalletContext,
  metadata: IssuerMetadata,
  grant: { code: string; redirectUri: string; codeVerifier: string; dpopKeyId: string },
): Promise<Authorization> {
  return requestToken(
    context,
    metadata,
    {
      grant_type: 'authorization_code',
      code: grant.code,
      redirect_uri: grant.redirectUri,
      code_verifier: grant.codeVerifier,
    },
    grant.dpopKeyId,
  )
}

/** A new token for an issuance that goes on (RFC 6749 section 6), under the key that the first one was bound to. */
export async function refreshToken(
  context: WalletContext,
  metadata: IssuerMetadata,
  grant: { refreshToken: string; dpopKeyId: string },
): Promise<Authorization> {
  const form = { grant_type: 'refresh_token', refresh_token: grant.refreshToken }
  const authorization = await requestToken(context, metadata, form, grant.dpopKeyId)
  // A server that gives no new refresh token leaves the one there is.
  return { ...authorization, refreshToken: authorization.refreshToken ?? grant.refreshToken }
}

/** RFC 7636 section 4.2. */
export function codeChallenge(codeVerifier: string): string {
  return toBase64url(sha256(utf8(codeVerifier)))
}

async function requestToken(
  context: WalletContext,
  metadata: IssuerMetadata,
  grant: Record<string, string>,
  dpopKeyId?: string,
): Promise<Authorization> {
  const server = metadata.authorizationServer
  const key = await dpopKey(context, server, dpopKeyId)
  try {
    return await requestBoundToken(context, server, grant, key)
  } catch (error) {
    // A key made for this token alone is of no use without it.
    if (dpopKeyId === undefined) await context.store.removeKey(key.id)
    throw error
  }
}

async function requestBoundToken(
  context: WalletContext,
  server: AuthorizationServer,
  grant: Record<string, string>,
  key: WalletKey,
): Promise<Authorization> {
  const dpop = openDpopSession(key.signer)
  const credentials = await clientAuthentication(context, server)
  const answer = await postWithDpop(context, dpop, {
    url: server.tokenEndpoint,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...credentials.headers,
    },
    body: new URLSearchParams({ ...grant, ...credentials.form }).toString(),
  })
  const token = readMembers(jsonOf(answer), malformed)
  // A bearer token would serve whoever steals it; this wallet asked for a bound one.
  if (token.text('token_type').toLowerCase() !== 'dpop')
    throw malformed('The access token is not bound to the wallet’s key')
  return {
    accessToken: token.text('access_token'),
    refreshToken: token.optionalText('refresh_token'),
    dpop,
    dpopKeyId: key.id,
    credentialIdentifiers: credentialIdentifiers(token.optionalList('authorization_details')),
  }
}

/** A key for this issuance only, so that tokens do not link one to another; a DID’s tokens are bound to the DID’s key. */
export async function dpopKey(
  { store, identity, keyAlgorithm }: WalletContext,
  { dpopAlgorithms }: AuthorizationServer,
  id?: string,
): Promise<WalletKey> {
  if (id !== undefined) {
    const found = await store.findKey(id)
    if (found === null)
      throw new Problem('key-not-bound', { detail: 'The wallet no longer has the key of this issuance' })
    return found
  }
  if (identity !== null) return { id: thumbprint(identity.signer.publicKey), signer: identity.signer }
  const alg = dpopAlgorithms.includes(keyAlgorithm) || !dpopAlgorithms.includes('ES256') ? keyAlgorithm : 'ES256'
  return store.createKey(alg)
}

function credentialIdentifiers(details: readonly Json[] | null): Map<string, readonly string[]> {
  const identifiers = new Map<string, readonly string[]>()
  for (const detail of details ?? []) {
    if (!isObject(detail) || detail.type !== 'openid_credential') continue
    const members = readMembers(detail, malformed)
    identifiers.set(members.text('credential_configuration_id'), members.optionalTexts('credential_identifiers') ?? [])
  }
  return identifiers
}

function malformed(detail: string): Problem {
  return new Problem('invalid-issuer-metadata', { detail })
}
