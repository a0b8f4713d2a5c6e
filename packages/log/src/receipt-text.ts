import {
  canonicalBytes,
  equalBytes,
  fromBase64url,
  fromHex,
  fromUtf8,
  type Json,
  parseJson,
  toHex,
} from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import { LogEntryKind, type Opening, type Receipt } from '@tillit/schemas'
import { parseCheckpoint } from './checkpoint.ts'
import { commit, saltBytes } from './commit.ts'
import { logEntry } from './log-entry.ts'
import { isSignedBy, parseNote } from './note.ts'
import { formatTlogProof, parseTlogProof, type TlogProof } from './tlog-proof.ts'
import type { TrustPolicy } from './trust-policy.ts'
import { formatVerifierKey } from './verifier-key.ts'
import { type VerifiedReceipt, verifyLeafProof } from './verify-receipt.ts'

export interface VerifiedReceiptText extends VerifiedReceipt {
  readonly opening: Opening
}

/**
 * A receipt as one text of C2SP tlog-proof: its extra data hold the opening, so that the leaf can be made again from it.
 * Throws Problem log-entry-not-found for a receipt that holds no proof yet.
 */
export function formatReceiptText({ opening, leaf }: Receipt): string {
  if (leaf === null) throw new Problem('log-entry-not-found', { detail: 'The receipt holds no proof yet' })
  const { kind, entry, salt } = opening
  const saltIsPublic = leaf.entry !== undefined && leaf.entry.length > leaf.commitment.length
  const extra = canonicalBytes({ kind, entry, salt, salt_is_public: saltIsPublic })
  return formatTlogProof({ ...parseTlogProof(leaf.proof), extra })
}

/**
 * Verifies such a text with no network: the entry in it is in the log, under a checkpoint that the trusted key signed or
 * that satisfies the policy. Throws as verifyReceipt does.
 */
export function verifyReceiptText(
  text: string,
  trust: { readonly vkey: string } | { readonly policy: TrustPolicy },
): VerifiedReceiptText {
  const proof = parseTlogProof(text)
  const { opening, entry } = openExtra(proof)
  const { origin } = parseCheckpoint(parseNote(proof.checkpoint).text)
  const vkey = 'vkey' in trust ? trust.vkey : signerIn(trust.policy, proof.checkpoint, origin)
  const log = { origin, vkey, self_witnessed: false }
  const { commitment } = opening
  const leaf = { commitment, entry, index: proof.index, proof: text, anchor: null, log }
  return { ...verifyLeafProof(fromHex(commitment), leaf, trust), opening }
}

/** The opening and the log's entry, from extra data that are just so: of two texts of one receipt one is not a receipt. */
function openExtra({ extra }: TlogProof): { opening: Opening; entry: string } {
  if (extra === undefined || extra === null) throw invalid('it holds no opening')
  const { kind, entry, salt, salt_is_public: saltIsPublic } = parseExtra(extra)
  if (!isKind(kind) || typeof salt !== 'string' || typeof saltIsPublic !== 'boolean' || !isObject(entry))
    throw invalid('its opening is malformed')
  if (!equalBytes(canonicalBytes({ kind, entry, salt, salt_is_public: saltIsPublic }), extra))
    throw invalid('its opening is not in canonical form')
  const saltOfEntry = decodeSalt(salt)
  const commitment = commit(saltOfEntry, entry)
  return {
    opening: { kind, entry, salt, commitment: toHex(commitment) },
    entry: toHex(logEntry(commitment, saltIsPublic ? saltOfEntry : null)),
  }
}

function parseExtra(extra: Uint8Array): Record<string, Json> {
  let value: Json
  try {
    value = parseJson(fromUtf8(extra))
  } catch (cause) {
    if (isProblem(cause)) throw invalid('its opening is not JSON', cause)
    throw cause
  }
  return isObject(value) ? value : {}
}

function decodeSalt(encoded: string): Uint8Array {
  let salt: Uint8Array
  try {
    salt = fromBase64url(encoded)
  } catch (cause) {
    throw invalid('its salt is not base64url', cause)
  }
  if (salt.length !== saltBytes) throw invalid('its salt is not 16 bytes long')
  return salt
}

function signerIn({ logs }: TrustPolicy, checkpoint: string, origin: string): string {
  const note = parseNote(checkpoint)
  const log = logs.find(({ key }) => key.name === origin && isSignedBy(note, key))
  if (log === undefined)
    throw new Problem('invalid-checkpoint', { detail: 'The checkpoint is not signed by a log of the policy' })
  return formatVerifierKey(log.key)
}

function isKind(value: Json | undefined): value is LogEntryKind {
  return LogEntryKind.enum.some((kind) => kind === value)
}

function isObject(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-receipt', { detail: `The receipt does not verify: ${detail}`, cause })
}
