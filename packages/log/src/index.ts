export { type Appended, appendLeaves, emptyEdge, rootOfEdge, type TreeEdge } from './append-leaves.ts'
export { consistencyProof, inclusionProof, type ReadTiles, rootFromTiles } from './build-proof.ts'
export { type Checkpoint, formatCheckpoint, parseCheckpoint, signCheckpoint, verifyCheckpoint } from './checkpoint.ts'
export { commit, hashBytes, saltBytes } from './commit.ts'
export { encodeEntryBundle, parseEntryBundle } from './entry-bundle.ts'
export { emptyRoot, leafHash, nodeHash, rootOfLeaves } from './merkle.ts'
export { type NoteSignature, type ParsedNote, parseNote, signNote, verifyNote } from './note.ts'
export { readEdge } from './read-edge.ts'
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
export { formatTlogProof, parseTlogProof, type TlogProof } from './tlog-proof.ts'
export { formatVerifierKey, parseVerifierKey, type VerifierKey, verifierKey } from './verifier-key.ts'
export { type TreeHead, verifyConsistency } from './verify-consistency.ts'
export { type InclusionClaim, verifyInclusion } from './verify-inclusion.ts'
export { type VerifiedReceipt, verifyLeafProof, verifyOpening, verifyReceipt } from './verify-receipt.ts'
