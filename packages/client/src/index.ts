// What outsiders need of our other packages comes from here too: those are not published on their own.
export type { Inflate, VerifiedCredential } from '@tillit/credential'
export { type CreateDidOptions, createDid, type DidState, didKeyFor, rotateDid, verifyDidLog } from '@tillit/did'
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
export { type VerifiedReceipt, verifyOpening, verifyReceipt } from '@tillit/log'
export { describeScope, type ScopeDescription, type VerifiedChain, verifyDelegationChain } from '@tillit/policy'
export { isProblem, Problem, type ProblemCode } from '@tillit/problem'
export {
  type AccessRecord,
  type Acknowledgement,
  type BatchAccepted,
  type DidLogEntry,
  type Opening,
  type Permission,
  type Reading,
  type ReadingSeries,
  type Receipt,
  type Scope,
  scopeType,
} from '@tillit/schemas'
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
export {
  createAcceptance,
  createCredentialProof,
  createKeyBinding,
  createStatement,
  type StatementOptions,
} from './statements.ts'
export { resolveThrough, type TrustAnchors, verifyCredential } from './verify-credential.ts'
