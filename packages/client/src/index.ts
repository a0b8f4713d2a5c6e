// What outsiders need of our other packages comes from here too: those are not published on their own.
export {
  type Inflate,
  type ReadStatus,
  type ResolveDid,
  signKeyCompromise,
  type TrustBundle,
  type VerifiedCredential,
  type VerifiedOffline,
  verifyOffline,
} from '@tillit/credential'
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
export { openPublicEntry, type PublicEntry } from './open-public-entry.ts'
export { completeReceipt } from './receipt.ts'
export { type RegisterDidOptions, registerDid } from './register-did.ts'
export {
  createAcceptance,
  createKeyBinding,
  createStatement,
  type StatementOptions,
} from './statements.ts'
export { fetchTrustBundle } from './trust-bundle.ts'
export { resolveThrough, type TrustAnchors, verifyCredential } from './verify-credential.ts'
export type { AuthorizationStart, PendingAuthorization } from './wallet/authorization-request.ts'
export type { CredentialOffer, TxCodeHint } from './wallet/credential-offer.ts'
export type { CredentialDescription } from './wallet/describe-credential.ts'
export {
  createDocumentStore,
  createMemoryWalletStore,
  type DocumentPlace,
  type WalletDocument,
} from './wallet/document-store.ts'
export { createIndexedDbStore, type IndexedDb } from './wallet/indexed-db-store.ts'
export type { CredentialConfiguration, IssuerMetadata } from './wallet/issuer-metadata.ts'
export type { Candidate, ShownClaim } from './wallet/match-credentials.ts'
export {
  type OpenedOffer,
  type OpenedRequest,
  openWallet,
  type ReceiveOptions,
  type Wallet,
  type WalletOptions,
} from './wallet/open-wallet.ts'
export type { PresentationRequest } from './wallet/presentation-request.ts'
export type { Received } from './wallet/receive-credentials.ts'
export { statusFromCity } from './wallet/status-from-city.ts'
export type { TransactionData } from './wallet/transaction-data.ts'
export type { AttestKeys, WalletAttestation, WalletClient } from './wallet/wallet-context.ts'
export type {
  CredentialStore,
  DeferredCredential,
  HeldCredential,
  KeyStore,
  WalletKey,
  WalletStore,
} from './wallet/wallet-store.ts'
