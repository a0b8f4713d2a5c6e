export type { AuthenticClaims, CredentialFormat, StatusReference } from './authentic-credential.ts'
export { type AuthenticVcdm, authenticClaims, type VcdmAuthenticationOptions, vcdmClaims } from './authentic-vcdm.ts'
export {
  type AuthenticationOptions,
  type AuthenticCredential,
  authenticateSdJwtVc,
} from './authenticate-sd-jwt-vc.ts'
export {
  bitstringOf,
  bitstringValueAt,
  decodeBitstring,
  encodeBitstring,
  type Gunzip,
  type Gzip,
  type StatusPurpose,
  statusPurposes,
} from './bitstring-status-list.ts'
export {
  type BitstringIssuance,
  type BitstringVerification,
  bitstringStatusReader,
  signBitstringStatusList,
  type VerifiedBitstring,
  verifyBitstringStatusList,
} from './bitstring-status-list-credential.ts'
export { checkClaims } from './check-claims.ts'
export type { ClaimPath } from './conceal-claims.ts'
export { credentialSchemaText, credentialSchemaUrl } from './credential-schema.ts'
export { type CredentialStatus, type ReadStatus, refuseUnlessValid, statusOf } from './credential-status.ts'
export {
  credentialRules,
  credentialTypes,
  type IssuerRule,
  isCredentialType,
  typeOfVct,
  vctOf,
} from './credential-types.ts'
export { addProof, type ProofOptions } from './data-integrity.ts'
export { authenticateDataIntegrity, issueDataIntegrity } from './data-integrity-credential.ts'
export { decideTrust, type TrustOptions } from './decide-trust.ts'
export { envelopCredential, envelopedCredential } from './enveloped.ts'
export { type Issuance, issueSdJwtVc } from './issue-sd-jwt-vc.ts'
export {
  type CompromisedKey,
  type CompromisedKeyListIssuance,
  compromisedKeysReader,
  type KeyIsCompromised,
  signCompromisedKeys,
  signKeyCompromise,
  verifyCompromisedKeys,
  verifyKeyCompromise,
} from './key-compromise.ts'
export { listStatusReader } from './list-status-reader.ts'
export { type ParsedSdJwt, parseSdJwt } from './parse-sd-jwt.ts'
export { type Presentation, presentSdJwtVc } from './present-sd-jwt-vc.ts'
export { type ResolveDid, resolveDocument, resolveKey, withFreshKeys, withIssuerKeys } from './resolve-key.ts'
export { refuseUnlessRecent, usualStatusAgeSeconds } from './status-freshness.ts'
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
export {
  offlineOptions,
  type TrustAnchors,
  type TrustBundle,
  type VerifiedOffline,
  verifyOffline,
} from './trust-bundle.ts'
export {
  type ClaimMetadata,
  type TypeMetadata,
  typeMetadata,
  typeMetadataIntegrity,
  typeMetadataText,
} from './type-metadata.ts'
export { type VcdmCredential, type VcdmOptions, validateVcdm2, validateVcdm2Presentation } from './validate-vcdm2.ts'
export { authenticateVcJwt, issueVcJwt, secureVcJwt } from './vc-jwt.ts'
export { type Contexts, pinnedContexts } from './vcdm-contexts.ts'
export { type BitstringEntry, bitstringEntry, type VcdmIssuance } from './vcdm-document.ts'
export type { JsonObject } from './vcdm-members.ts'
export {
  type AuthenticPresentation,
  authenticatePresentation,
  presentDataIntegrity,
  presentVpJwt,
  type VcdmPresenting,
} from './vcdm-presentation.ts'
export {
  authenticateCredential,
  authenticateVcdm,
  type CredentialVerificationOptions,
  verifyCredential,
} from './verify-credential.ts'
export { type EcosystemOptions, type VerifiedJwt, verifyEcosystemJwt } from './verify-ecosystem-jwt.ts'
export { type PresentationVerification, type PresentedCredential, verifyPresentation } from './verify-presentation.ts'
export { checkDcqlQuery, typeIriOf } from './verify-presentation-query.ts'
export { transactionHashAlgorithm } from './verify-presentation-transactions.ts'
export { type VerificationOptions, type VerifiedCredential, verifySdJwtVc } from './verify-sd-jwt-vc.ts'
