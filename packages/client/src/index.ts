// What outsiders need of our other packages comes from here too: those are not published on their own.
export type { Inflate, VerifiedCredential } from '@tillit/credential'
export {
  type CreateDidOptions,
  createDid,
  createResolver,
  type DidDereferencing,
  type DidResolution,
  type DidResolver,
  type DidState,
  deactivateDid,
  dereference,
  didKeyFor,
  type FetchText,
  formatDidLog,
  formatDidWitnessFile,
  moveDid,
  nextDidState,
  nextKeyHash,
  parseDidLog,
  parseDidWitnessFile,
  type RotateDidOptions,
  rotateDid,
  type Service,
  type UpdateDidOptions,
  updateDid,
  verifyDidLog,
  verifyWitnessProofs,
  type WitnessConfig,
  type WitnessProofs,
  webvhLocation,
  witnessEntry,
  witnessedPrefix,
} from '@tillit/did'
export {
  generatePrivateJwk,
  type PrivateJwk,
  type PublicKey,
  parsePublicJwk,
  type Signer,
  signerFromCryptoKeyPair,
  signerFromJwk,
  signerFromSeed,
  thumbprint,
} from '@tillit/keys'
export {
  formatReceiptText,
  type LogTrust,
  parseTrustPolicy,
  type TrustPolicy,
  type VerifiedReceipt,
  type VerifiedReceiptText,
  verifyOpening,
  verifyReceipt,
  verifyReceiptText,
} from '@tillit/log'
export { describeScope, type ScopeDescription, type VerifiedChain, verifyDelegationChain } from '@tillit/policy'
export { isProblem, Problem, type ProblemCode } from '@tillit/problem'
export {
  type AccessRecord,
  type Acknowledgement,
  type BatchAccepted,
  type DidAccepted,
  type DidLogEntry,
  type Opening,
  type Permission,
  type Reading,
  type ReadingSeries,
  type Receipt,
  type Scope,
  scopeType,
} from '@tillit/schemas'
export type { LedgerHead, LedgerReader } from './audit/check-anchors.ts'
export { type CityAnswer, type FetchCity, fetchFromCity } from './audit/fetch-city.ts'
export type { Finding, FindingCode } from './audit/finding.ts'
export { type FsckOptions, type FsckProgress, type FsckReport, fsckCity } from './audit/fsck-city.ts'
export { type MonitorEvent, type MonitorOptions, type MonitorRound, monitorCity } from './audit/monitor-city.ts'
export { type AlertCode, type MonitorState, parseMonitorState } from './audit/monitor-state.ts'
export { type City, CityError, type CityOptions, type CityRequest, type ClientIdentity, connectCity } from './city.ts'
export { delegate } from './delegate.ts'
export {
  type BatchStore,
  createDevice,
  createMemoryStore,
  type Device,
  type DeviceOptions,
  type DeviceState,
  isOffline,
} from './device.ts'
export { completeReceipt } from './receipt.ts'
export { type RegisterDidOptions, registerDid } from './register-did.ts'
export {
  createAcceptance,
  createCredentialProof,
  createKeyBinding,
  createStatement,
  type StatementOptions,
} from './statements.ts'
export { resolveThrough, type TrustAnchors, verifyCredential } from './verify-credential.ts'
