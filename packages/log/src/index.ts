export {
  type AddCheckpoint,
  formatAddCheckpoint,
  type ParsedAddCheckpoint,
  parseAddCheckpoint,
} from './add-checkpoint.ts'
export { type Appended, appendLeaves, emptyEdge, rootOfEdge, type TreeEdge } from './append-leaves.ts'
export { consistencyProof, inclusionProof, rootFromTiles } from './build-proof.ts'
export { type Checkpoint, formatCheckpoint, parseCheckpoint, signCheckpoint, verifyCheckpoint } from './checkpoint.ts'
export { commit, commitText, hashBytes, saltBytes } from './commit.ts'
export { type Cosigner, cosignCheckpoint, verifyCosignature } from './cosignature.ts'
export { type CosignerKey, cosignerKey, formatCosignerKey, parseCosignerKey } from './cosigner-key.ts'
export { encodeEntryBundle, parseEntryBundle } from './entry-bundle.ts'
export { judgeCheckpoint, type KnownLog, type Verdict } from './judge-checkpoint.ts'
export { type LogEntry, logEntry, parseLogEntry } from './log-entry.ts'
export { emptyRoot, leafHash, nodeHash, rootOfLeaves } from './merkle.ts'
export { keepSignaturesOf, type NoteSignature, type ParsedNote, parseNote, signNote, verifyNote } from './note.ts'
export { createProver, type Prover, type ProverOptions } from './prover.ts'
export { readEdge } from './read-edge.ts'
export type { ReadTiles } from './read-tiles.ts'
export { formatReceiptText, type VerifiedReceiptText, verifyReceiptText } from './receipt-text.ts'
export {
  type EntryBundleId,
  entryBundlePath,
  parseTilePath,
  type Tile,
  type TileId,
  tileIn,
  tilePath,
  tileWidth,
} from './tile.ts'
export { createTileMemory, type TileMemory } from './tile-memory.ts'
export { formatTlogProof, parseTlogProof, type TlogProof } from './tlog-proof.ts'
export {
  formatTrustPolicy,
  noQuorum,
  type PolicyGroup,
  type PolicyLog,
  type PolicyWitness,
  parseTrustPolicy,
  quorumMet,
  type TrustPolicy,
} from './trust-policy.ts'
export { formatVerifierKey, parseVerifierKey, type VerifierKey, verifierKey } from './verifier-key.ts'
export { type TreeHead, verifyConsistency } from './verify-consistency.ts'
export { type InclusionClaim, verifyInclusion } from './verify-inclusion.ts'
export { type LogTrust, type VerifiedReceipt, verifyLeafProof, verifyOpening, verifyReceipt } from './verify-receipt.ts'
export { verifyWithPolicy, type WitnessedCheckpoint } from './verify-with-policy.ts'
