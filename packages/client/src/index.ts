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
