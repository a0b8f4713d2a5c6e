import { type AuthorizationDetail, errors } from 'oidc-provider'

/** The authorization details type of OpenID4VCI 1.0, section 5.1.1. */
export const credentialDetailsType = 'openid_credential'

const knownMembers = new Set(['type', 'credential_configuration_id', 'claims', 'locations'])

export interface AskedCredentials {
  /** Credential configuration ids that were asked for by name in `scope`; unknown scopes are ignored (section 5.1.2). */
  byScope: string[]
  /** Those in `authorization_details`. */
  byDetails: string[]
}

/**
 * Checks one detail as RFC 9396 section 5 asks: nothing in it may be unknown. Throws InvalidAuthorizationDetails.
 */
export function checkCredentialDetail(
  detail: AuthorizationDetail,
  { configurationIds, credentialIssuer }: { configurationIds: ReadonlySet<string>; credentialIssuer: string },
): void {
  const unknown = Object.keys(detail).find((member) => !knownMembers.has(member))
  if (unknown !== undefined) throw refused(`${JSON.stringify(unknown.slice(0, 100))} is not known here`)
  const { credential_configuration_id: id, locations, claims } = detail
  if (typeof id !== 'string' || !configurationIds.has(id)) throw refused('the credential configuration is not known')
  // Section 5.1.1: locations names the credential issuer, of which there is one here.
  if (locations !== undefined && !(Array.isArray(locations) && locations.includes(credentialIssuer)))
    throw refused('locations do not name the credential issuer of this server')
  if (claims !== undefined && !(Array.isArray(claims) && claims.length > 0 && claims.every(describesClaim)))
    throw refused('claims are not claims descriptions')
}

/** What an authorization or token request asks for. Its details have been checked. */
export function askedCredentials(
  request: { scope?: unknown; authorization_details?: unknown },
  configurationIds: ReadonlySet<string>,
): AskedCredentials {
  const scopes = typeof request.scope === 'string' ? request.scope.split(' ') : []
  return {
    byScope: [...new Set(scopes)].filter((scope) => configurationIds.has(scope)),
    byDetails: configurationIdsOf(request.authorization_details),
  }
}

/** The configuration ids in the text of `authorization_details`, each once. */
export function configurationIdsOf(details: unknown): string[] {
  if (typeof details !== 'string') return []
  const parsed: unknown = JSON.parse(details)
  const ids = Array.isArray(parsed) ? parsed.map((detail) => detail.credential_configuration_id) : []
  return [...new Set(ids.filter((id) => typeof id === 'string'))]
}

/** What is granted; what it stands for at the time is said in the token. */
export function credentialDetail(
  configurationId: string,
): AuthorizationDetail & { credential_configuration_id: string } {
  return { type: credentialDetailsType, credential_configuration_id: configurationId }
}

/** Appendix B.2: a path of names, null for all elements, or indexes. */
function describesClaim(claim: unknown): boolean {
  if (claim === null || typeof claim !== 'object' || !('path' in claim)) return false
  const { path } = claim
  return (
    Array.isArray(path) &&
    path.length > 0 &&
    path.every((part) => part === null || typeof part === 'string' || (Number.isInteger(part) && part >= 0))
  )
}

function refused(description: string): errors.InvalidAuthorizationDetails {
  return new errors.InvalidAuthorizationDetails(description)
}
