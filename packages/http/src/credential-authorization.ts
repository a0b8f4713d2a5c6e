/** The credentials that a token is for (OpenID4VCI 1.0, sections 5.1.1 and 6.2). */
export interface CredentialAuthorization {
  type: 'openid_credential'
  credential_configuration_id: string
  credential_identifiers: string[]
}

export function isCredentialAuthorization(detail: unknown): detail is CredentialAuthorization {
  if (detail === null || typeof detail !== 'object') return false
  return (
    'type' in detail &&
    detail.type === 'openid_credential' &&
    'credential_configuration_id' in detail &&
    typeof detail.credential_configuration_id === 'string' &&
    'credential_identifiers' in detail &&
    Array.isArray(detail.credential_identifiers) &&
    detail.credential_identifiers.every((identifier) => typeof identifier === 'string')
  )
}
