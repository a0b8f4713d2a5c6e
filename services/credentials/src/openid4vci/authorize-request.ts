import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { CredentialRequest } from '@tillit/schemas'
import { type CredentialConfiguration, findConfiguration } from './credential-configurations.ts'

/** What each kind of caller may receive without having asked the authorization server for it by name. */
const ownType = {
  customer: 'MeteringPointEntitlement',
  device: 'MeterDeviceCredential',
  organisation: 'OrganisationCredential',
} as const

export interface AuthorizedRequest {
  configuration: CredentialConfiguration
  /** Which of the holder's things it is about; null: whichever there is. */
  resource: string | null
}

/** Between the configuration and the thing in a credential identifier: MeteringPointEntitlement:mp_… */
const separator = ':'

export function credentialIdentifier(configurationId: string, resource: string): string {
  return configurationId + separator + resource
}

/**
 * What is asked for, when the access token is for it (OpenID4VCI 1.0 section 8.2). Throws Problem invalid-request,
 * unknown-credential-configuration, unknown-credential-identifier or insufficient-scope.
 */
export function authorizeRequest(
  caller: Caller,
  { credential_configuration_id: configurationId, credential_identifier: identifier }: CredentialRequest,
): AuthorizedRequest {
  if (configurationId !== undefined && identifier !== undefined)
    throw new Problem('invalid-request', {
      detail: 'A credential is named by configuration or by identifier, not both',
    })
  if (identifier !== undefined) return byIdentifier(caller, identifier)
  if (configurationId !== undefined)
    return { configuration: authorizeConfiguration(caller, configurationId), resource: null }
  throw new Problem('invalid-request', { detail: 'It is not said which credential is requested' })
}

/** Throws Problem unknown-credential-configuration or insufficient-scope. */
export function authorizeConfiguration(caller: Caller, id: string): CredentialConfiguration {
  const configuration = findConfiguration(id)
  if (!configuration) throw new Problem('unknown-credential-configuration', { pointer: '/credential_configuration_id' })
  const { authorizationDetails: details } = caller
  const allowed =
    details === undefined
      ? configuration.type === ownType[caller.kind]
      : details.some((detail) => detail.credential_configuration_id === id)
  if (!allowed) throw new Problem('insufficient-scope')
  return configuration
}

/** An identifier is one that the token lists. A token for everything of the caller's own takes any in the form of ours. */
function byIdentifier(caller: Caller, identifier: string): AuthorizedRequest {
  const end = identifier.indexOf(separator)
  const [id, resource] = end < 0 ? [identifier, null] : [identifier.slice(0, end), identifier.slice(end + 1)]
  const { authorizationDetails: details } = caller
  const listing = details?.find((detail) => detail.credential_identifiers.includes(identifier))
  const configuration = findConfiguration(listing?.credential_configuration_id ?? id)
  const allowed = details === undefined ? configuration?.type === ownType[caller.kind] : listing !== undefined
  if (!configuration || !allowed)
    throw new Problem('unknown-credential-identifier', { pointer: '/credential_identifier' })
  return { configuration, resource: id === configuration.id ? resource : null }
}
