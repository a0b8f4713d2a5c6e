export type {
  DIDDocument,
  DIDResolutionResult,
  Service,
  VerificationMethod,
  VerificationRelationship,
} from 'did-resolver'
export { type CreateDidOptions, createDid } from './create-did.ts'
export { checkDocument, multikeyMethod, standardDocument } from './did-document.ts'
export { didJwkDocument, didJwkFor } from './did-jwk.ts'
export { didKeyDocument, didKeyFor } from './did-key.ts'
export { webLocation, webvhLocation } from './did-location.ts'
export { formatDidLog, maxDidLogCharacters, parseDidLog } from './did-log.ts'
export type { WitnessConfig } from './did-parameters.ts'
export type { DidContent } from './document-for.ts'
export { nextKeyHash } from './entry-hash.ts'
export { type DidState, nextDidState, verifyDidLog } from './next-state.ts'
export { type ParsedDid, type ParsedDidUrl, parseDid, parseDidUrl, type WebPlace } from './parse-did.ts'
export { createResolver, type DidResolution, type FetchText, type ResolveOptions } from './resolver.ts'
export { deactivateDid, type RotateDidOptions, rotateDid, type UpdateDidOptions, updateDid } from './update-did.ts'
export { type VerificationKey, verificationKeys } from './verification-keys.ts'
