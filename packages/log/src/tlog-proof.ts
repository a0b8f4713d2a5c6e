import { fromBase64, toBase64 } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { hashBytes } from './commit.ts'

const header = 'c2sp.org/tlog-proof@v1'

/** Hashes in the longest proof: one for each level of a tree of 2^53 leaves. */
const maxProofHashes = 53

/** Longest text parsed, in characters: a proof, a checkpoint with its cosignatures, and an entry in the extra data. */
const maxProofCharacters = 400_000

/** An inclusion proof that verifies offline (C2SP tlog-proof). `checkpoint` is the signed note, as the log gave it. */
export interface TlogProof {
  readonly index: number
  readonly hashes: readonly Uint8Array[]
  readonly checkpoint: string
  /** What an application needs to make the leaf again; nothing authenticates it. Null: none. */
  readonly extra?: Uint8Array | null
}

export function formatTlogProof(proof: TlogProof): string {
  const extra = proof.extra === undefined || proof.extra === null ? [] : [`extra ${toBase64(proof.extra)}`]
  return [header, ...extra, `index ${proof.index}`, ...proof.hashes.map(toBase64), '', proof.checkpoint].join('\n')
}

/** Parses strictly. Throws Problem invalid-proof. */
export function parseTlogProof(text: string): TlogProof {
  if (text.length > maxProofCharacters) throw invalid('it is too long')
  const split = text.indexOf('\n\n')
  if (split < 0) throw invalid('it holds no checkpoint')
  const [first, ...lines] = text.slice(0, split).split('\n')
  if (first !== header) throw invalid(`its first line is not ${header}`)
  const extra = lines[0]?.startsWith('extra ') ? decode(lines.shift()?.slice('extra '.length) ?? '') : null
  const [, index] = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '') ?? []
  if (index === undefined || !Number.isSafeInteger(Number(index))) throw invalid('its index is malformed')
  if (lines.length > maxProofHashes) throw invalid('it has too many hashes')
  return { index: Number(index), hashes: lines.map(decodeHash), checkpoint: text.slice(split + 2), extra }
}

function decodeHash(line: string): Uint8Array {
  const hash = decode(line)
  if (hash.length !== hashBytes) throw invalid('a hash is not 32 bytes long')
  return hash
}

function decode(text: string): Uint8Array {
  try {
    return fromBase64(text)
  } catch (cause) {
    throw invalid('a line is not base64', cause)
  }
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-proof', { detail: `The proof is malformed: ${detail}`, cause })
}
