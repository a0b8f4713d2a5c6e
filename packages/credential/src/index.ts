export {
  type AuthenticationOptions,
  type AuthenticCredential,
  authenticateSdJwtVc,
  type StatusReference,
} from './authenticate-sd-jwt-vc.ts'
export { type CredentialStatus, type ReadStatus, refuseUnlessValid, statusOf } from './credential-status.ts'
export { credentialRules, type IssuerRule, typeOfVct, vctOf } from './credential-types.ts'
export { decideTrust, type TrustOptions } from './decide-trust.ts'
export { type Issuance, issueSdJwtVc } from './issue-sd-jwt-vc.ts'
export { type Presentation, presentSdJwtVc } from './present-sd-jwt-vc.ts'
export { type ResolveDid, resolveDocument, resolveKey, withFreshKeys } from './resolve-key.ts'
export {
  type Deflate,
  decodeStatusList,
  type EncodedStatusList,
  encodeStatusList,
  type Inflate,
  maxStatusListBytes,
  type StatusList,
  statusAt,
} from './status-list.ts'
export {
  type StatusListIssuance,
  type StatusListVerification,
  signStatusList,
  statusReader,
  verifyStatusList,
} from './status-list-token.ts'
export { type EcosystemOptions, type VerifiedJwt, verifyEcosystemJwt } from './verify-ecosystem-jwt.ts'
export { type VerificationOptions, type VerifiedCredential, verifySdJwtVc } from './verify-sd-jwt-vc.ts'
