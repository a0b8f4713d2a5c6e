export type {
  DIDDocument,
  DIDResolutionResult,
  Service,
  VerificationMethod,
  VerificationRelationship,
} from 'did-resolver'
export { type CachedResolver, type CachedResolverOptions, createCachedResolver } from './cached-resolver.ts'
export { type CreateDidOptions, createDid } from './create-did.ts'
export type { Proof } from './data-integrity.ts'
export { type DereferenceOptions, type DidDereferencing, dereference } from './dereference.ts'
export { checkDocument, multikeyMethod, standardDocument } from './did-document.ts'
export { didJwkDocument, didJwkFor } from './did-jwk.ts'
export { didKeyDocument, didKeyFor } from './did-key.ts'
export { webLocation, webvhFolder, webvhLocation, webvhWitnessLocation } from './did-location.ts'
export { formatDidLog, maxDidLogCharacters, parseDidLog } from './did-log.ts'
export type { WitnessConfig } from './did-parameters.ts'
export { servicesOf } from './did-services.ts'
export type { DidContent } from './document-for.ts'
export { nextKeyHash } from './entry-hash.ts'
export { type DidState, type DidStep, nextDidState } from './next-state.ts'
export { type ParsedDid, type ParsedDidUrl, parseDid, parseDidUrl, type WebPlace } from './parse-did.ts'
export { type DidErrorObject, type DidResolutionError, withErrorObject } from './resolution-error.ts'
export { resolvedVersion, unresolved } from './resolution-result.ts'
export {
  pickVersion,
  type ResolvedVersion,
  type ResolveVersionOptions,
  resolveVersion,
  type VersionQuery,
} from './resolve-webvh.ts'
export {
  createResolver,
  type DidResolution,
  type DidResolver,
  type FetchText,
  type ResolveOptions,
  type ResolverPorts,
  resolvableUrl,
} from './resolver.ts'
export {
  deactivateDid,
  type MoveDidOptions,
  moveDid,
  type ParameterChanges,
  type RotateDidOptions,
  rotateDid,
  type UpdateDidOptions,
  updateDid,
} from './update-did.ts'
export { type VerificationKey, verificationKeys } from './verification-keys.ts'
export {
  nextDidStateAsync,
  type VerifiedLog,
  verifyDidEntry,
  verifyDidLog,
  verifyDidLogStates,
} from './verify-log.ts'
export { signWatcherRequest, verifyWatcherRequest, type WatcherRequest } from './watcher-request.ts'
export {
  formatDidWitnessFile,
  maxWitnessFileCharacters,
  parseDidWitnessFile,
  type WitnessProofs,
} from './witness-file.ts'
export {
  pruneWitnessProofs,
  publishablePrefix,
  verifyWitnessProofs,
  type WitnessApproval,
  type WitnessedVersion,
  witnessEntry,
  witnessedPrefix,
} from './witness-proofs.ts'
