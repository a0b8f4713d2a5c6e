export { type HttpWitness, httpWitnessPeer } from './http-witness-peer.ts'
export { type FolderLock, lockFolder } from './lock-folder.ts'
export { type ServedWitness, serveWitness } from './serve-witness.ts'
export { diskFiles, type StateFiles } from './state-files.ts'
export {
  createWitness,
  type Witness,
  type WitnessEvent,
  type WitnessOptions,
  type WitnessPeer,
  type WitnessReply,
} from './witness.ts'
export { originHash, type WitnessRecord } from './witness-record.ts'
export { openWitnessState, type WitnessState } from './witness-state.ts'
