import { credentialRules, typeMetadata, vctOf } from '@tillit/credential'
import { type CredentialType, credentialsContext, tillitContext } from '@tillit/schemas'
import type { Context } from '../ports.ts'
import type { CredentialFormat } from '../sign-credential.ts'
import type { CredentialConfiguration } from './credential-configurations.ts'

const signatureAlgorithms = ['EdDSA', 'ES256']

/** Types whose holders have a DID, so that a proof may name its key by it. */
const heldByDids: ReadonlySet<CredentialType> = new Set([
  'OrganisationCredential',
  'MeterDeviceCredential',
  'PermissionCredential',
  'DelegationCredential',
])

/** A member of `credential_configurations_supported` (OpenID4VCI 1.0 section 12.2.4 and appendix A). */
export function describeConfiguration(
  { id, type, format }: CredentialConfiguration,
  { openid4vci }: Pick<Context, 'openid4vci'>,
) {
  const required = openid4vci.keyAttesters?.required ? { key_attestations_required: {} } : {}
  const proof = { proof_signing_alg_values_supported: signatureAlgorithms, ...required }
  return {
    format,
    scope: id,
    cryptographic_binding_methods_supported: heldByDids.has(type)
      ? ['jwk', 'did:webvh', 'did:web', 'did:key', 'did:jwk']
      : ['jwk'],
    credential_signing_alg_values_supported: format === 'ldp_vc' ? ['eddsa-jcs-2022'] : signatureAlgorithms,
    proof_types_supported: { jwt: proof, ...(openid4vci.keyAttesters ? { attestation: proof } : {}) },
    ...definition(type, format),
    credential_metadata: credentialMetadata(type, format),
  }
}

function definition(type: CredentialType, format: CredentialFormat) {
  const types = ['VerifiableCredential', type]
  switch (format) {
    case 'dc+sd-jwt':
      return { vct: vctOf(type) }
    case 'jwt_vc_json':
      return { credential_definition: { type: types } }
    case 'ldp_vc':
      return { credential_definition: { '@context': [credentialsContext, tillitContext], type: types } }
  }
}

/** Appendix B.2. What stands beside the claims of an SD-JWT VC has its own place in the data model of the W3C. */
function credentialMetadata(type: CredentialType, format: CredentialFormat) {
  const { display, claims } = typeMetadata(type)
  const own = credentialRules[type].claims.properties
  return {
    display: display.map(({ locale, name, description }) => ({ locale, name, description })),
    claims: claims
      .filter(({ path: [name] }) => format === 'dc+sd-jwt' || Object.hasOwn(own, name))
      .map(({ path, mandatory, display: labels }) => ({
        path: format === 'dc+sd-jwt' ? path : ['credentialSubject', ...path],
        mandatory,
        display: labels.map(({ locale, label }) => ({ locale, name: label })),
      })),
  }
}
