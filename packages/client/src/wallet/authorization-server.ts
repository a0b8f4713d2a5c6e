import { Problem } from '@tillit/problem'
import { ask, checkedUrl, jsonOf } from './ask.ts'
import { type Members, readMembers } from './read-members.ts'
import type { WalletContext } from './wallet-context.ts'

/** An authorization server as its metadata describe it (RFC 8414). Every URL in it was checked. */
export interface AuthorizationServer {
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly parEndpoint: string | null
  readonly authorizationEndpoint: string | null
  /** Where challenges for attested wallets come from. */
  readonly challengeEndpoint: string | null
  /** RFC 9207: the server names itself in its authorization responses. */
  readonly namesItself: boolean
  readonly dpopAlgorithms: readonly string[]
  /** Whether credentials can be asked for by authorization details (RFC 9396). */
  readonly takesDetails: boolean
}

/**
 * Reads the metadata of an authorization server. Throws Problem invalid-issuer-metadata (also when they are those of another server),
 * invalid-request and CityError.
 */
export async function readAuthorizationServer(
  issuer: string,
  context: Pick<WalletContext, 'fetch'>,
): Promise<AuthorizationServer> {
  const answer = await ask(context.fetch, wellKnown(issuer, 'oauth-authorization-server'), {
    headers: { accept: 'application/json' },
  })
  const metadata = readMembers(jsonOf(answer), malformed)
  // RFC 8414 section 3.3.
  if (metadata.text('issuer') !== issuer) throw malformed('The metadata is that of another authorization server')
  return {
    issuer,
    tokenEndpoint: checkedUrl(metadata.text('token_endpoint')),
    parEndpoint: endpointIn(metadata, 'pushed_authorization_request_endpoint'),
    authorizationEndpoint: endpointIn(metadata, 'authorization_endpoint'),
    challengeEndpoint: endpointIn(metadata, 'challenge_endpoint'),
    namesItself: metadata.optionalFlag('authorization_response_iss_parameter_supported') === true,
    dpopAlgorithms: metadata.optionalTexts('dpop_signing_alg_values_supported') ?? [],
    takesDetails:
      metadata.optionalTexts('authorization_details_types_supported')?.includes('openid_credential') === true,
  }
}

/** Where the metadata of an identifier are: its name comes between host and path (RFC 8414 section 3.1). */
export function wellKnown(identifier: string, name: string): string {
  const url = new URL(checkedUrl(identifier))
  const path = url.pathname.replace(/\/$/, '')
  return `${url.origin}/.well-known/${name}${path}`
}

/** The URL of an endpoint, checked, or null when there is none. */
export function endpointIn(metadata: Members, name: string): string | null {
  const url = metadata.optionalText(name)
  return url === null ? null : checkedUrl(url)
}

function malformed(detail: string): Problem {
  return new Problem('invalid-issuer-metadata', { detail })
}
