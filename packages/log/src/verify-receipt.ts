import { equalBytes, fromBase64url, fromHex, toHex } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { AnchorEvidence, LeafProof, Opening, Receipt } from '@tillit/schemas'
import { type Checkpoint, verifyCheckpoint } from './checkpoint.ts'
import { commit, hashBytes, saltBytes } from './commit.ts'
import { type LogEntry, logEntry, parseLogEntry } from './log-entry.ts'
import { leafHash } from './merkle.ts'
import { isSignedBy, parseNote } from './note.ts'
import { parseTlogProof } from './tlog-proof.ts'
import type { TrustPolicy } from './trust-policy.ts'
import { parseVerifierKey } from './verifier-key.ts'
import { verifyInclusion } from './verify-inclusion.ts'
import { verifyWithPolicy, type WitnessedCheckpoint } from './verify-with-policy.ts'

export interface VerifiedReceipt {
  /** Hexadecimal, as on the wire. */
  readonly commitment: string
  readonly index: number
  /** Size and root (hexadecimal) of the checkpoint that holds the entry. */
  readonly size: number
  readonly root: string
  /** What the receipt says the ledger holds: equal to the checkpoint, still to be looked up on the ledger itself. */
  readonly anchored: AnchorEvidence | null
  /** The witnesses of the caller's policy that cosigned; null when the caller gave no policy, so nobody looked. */
  readonly cosignedBy: WitnessedCheckpoint['cosignedBy'] | null
}

/** Whom the caller trusts. With neither, the receipt's own word is taken for which log it is. */
export interface LogTrust {
  /** The log's key, as pinned by the caller: it must have signed, whichever of its keys the log names. */
  readonly vkey?: string
  /** Which logs, and whose cosignatures are needed. */
  readonly policy?: TrustPolicy
}

/**
 * Verifies a receipt offline: the entry opens the commitment, the checkpoint is signed by the log and, under a policy,
 * cosigned by its quorum, the proof leads from the commitment to the checkpoint, the anchor is of that checkpoint. What
 * `self_witnessed` says is the log's own word. Throws Problem invalid-receipt, invalid-proof, invalid-checkpoint or
 * checkpoint-not-witnessed saying what differs, and log-entry-not-found for a receipt that holds no proof yet.
 */
export function verifyReceipt(receipt: Receipt, options: LogTrust = {}): VerifiedReceipt {
  const commitment = verifyOpening(receipt.opening)
  if (receipt.leaf === null) {
    throw new Problem('log-entry-not-found', {
      detail: 'The receipt holds no proof yet: the log had not taken the entry',
    })
  }
  if (receipt.leaf.commitment !== receipt.opening.commitment) throw invalid('the proof is for another commitment')
  const { publicSalt } = entryOf(commitment, receipt.leaf)
  if (publicSalt !== null && !equalBytes(publicSalt, fromBase64url(receipt.opening.salt)))
    throw invalid('the log holds another salt than the opening')
  return verifyLeafProof(commitment, receipt.leaf, options)
}

/** Verifies that the entry and the salt give the commitment, and gives its 32 bytes. Throws Problem invalid-receipt. */
export function verifyOpening(opening: Opening): Uint8Array {
  const salt = decode(() => fromBase64url(opening.salt), saltBytes, 'the salt is not 16 bytes of base64url')
  const commitment = decode(() => fromHex(opening.commitment), hashBytes, 'the commitment is not 32 bytes')
  let opened: Uint8Array
  try {
    opened = commit(salt, opening.entry)
  } catch (cause) {
    throw invalid('the entry is not JSON', cause)
  }
  if (!equalBytes(opened, commitment)) throw invalid('the entry does not open the commitment')
  return commitment
}

/** Verifies that the log holds the 32-byte commitment. Throws as verifyReceipt does. */
export function verifyLeafProof(commitment: Uint8Array, leaf: LeafProof, options: LogTrust = {}): VerifiedReceipt {
  if (leaf.commitment !== toHex(commitment)) throw invalid('the proof is for another commitment')
  const proof = parseTlogProof(leaf.proof)
  const key = parseVerifierKey(options.vkey ?? leaf.log.vkey)
  // A log whose key is being changed signs with both and names the newer: what counts is that the trusted one has signed.
  if (options.vkey !== undefined && options.vkey !== leaf.log.vkey && !isSignedBy(parseNote(proof.checkpoint), key)) {
    throw new Problem('invalid-checkpoint', {
      detail: 'The receipt names another log key than the one that is trusted, and that one has not signed it',
    })
  }
  if (leaf.log.origin !== key.name) throw invalid('the origin of the log is not the name of its key')
  if (proof.index !== leaf.index) throw invalid('the proof is for another index')
  const checkpoint = verifyCheckpoint(proof.checkpoint, key)
  const cosignedBy = options.policy === undefined ? null : verifyWithPolicy(proof.checkpoint, options.policy).cosignedBy
  const { size, root } = checkpoint
  const entry = entryOf(commitment, leaf)
  verifyInclusion(leafHash(logEntry(entry.commitment, entry.publicSalt)), {
    index: proof.index,
    size,
    root,
    proof: proof.hashes,
  })
  if (leaf.anchor !== null) requireSameHead(leaf.anchor, checkpoint)
  const { commitment: hex, anchor: anchored } = leaf
  return { commitment: hex, index: proof.index, size, root: toHex(root), anchored, cosignedBy }
}

/** What the log holds for the commitment, as the proof says: the inclusion proof then shows whether it does. */
function entryOf(commitment: Uint8Array, { entry }: LeafProof): LogEntry {
  if (entry === undefined) return { commitment, publicSalt: null }
  let parsed: LogEntry
  try {
    parsed = parseLogEntry(fromHex(entry))
  } catch (cause) {
    throw invalid('the entry of the log is malformed', cause)
  }
  if (!equalBytes(parsed.commitment, commitment)) throw invalid('the entry of the log holds another commitment')
  return parsed
}

function requireSameHead(anchor: AnchorEvidence, checkpoint: Checkpoint): void {
  if (anchor.size !== checkpoint.size) throw invalid('the anchor is of another size than the checkpoint')
  if (anchor.root !== toHex(checkpoint.root)) throw invalid('the anchor is of another root than the checkpoint')
}

function decode(read: () => Uint8Array, length: number, otherwise: string): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = read()
  } catch (cause) {
    throw invalid(otherwise, cause)
  }
  if (bytes.length !== length) throw invalid(otherwise)
  return bytes
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-receipt', { detail: `The receipt does not verify: ${detail}`, cause })
}
