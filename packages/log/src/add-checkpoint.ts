import { fromBase64, toBase64 } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { hashBytes } from './commit.ts'
import { type ParsedNote, parseNote } from './note.ts'

/** C2SP tlog-witness: a client must not send more, and no tree needs more. */
const maxProofLines = 63

export interface AddCheckpoint {
  /** Size of the checkpoint that the witness cosigned last, as the client believes. */
  readonly oldSize: number
  /** Consistency proof from that size, hashes of 32 bytes (RFC 6962 section 2.1.2). */
  readonly proof: readonly Uint8Array[]
  /** The signed note of the new checkpoint. */
  readonly note: string
}

/** A request taken apart; nothing about it is verified. */
export interface ParsedAddCheckpoint extends AddCheckpoint {
  readonly parsedNote: ParsedNote
  readonly checkpoint: Checkpoint
}

/** The body of a witness's add-checkpoint call (C2SP tlog-witness). */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${toBase64(hash)}\n`).join('')}\n${note}`
}

/** Parses strictly. Throws Problem invalid-checkpoint. */
export function parseAddCheckpoint(body: string): ParsedAddCheckpoint {
  // The first empty line ends the proof; those in the note come later.
  const end = body.indexOf('\n\n')
  if (end < 0) throw invalid('it has no empty line')
  const [old = '', ...proof] = body.slice(0, end).split('\n')
  if (proof.length > maxProofLines) throw invalid('its proof has too many lines')
  const note = body.slice(end + 2)
  const parsedNote = parseNote(note)
  return {
    oldSize: parseOld(old),
    proof: proof.map(decodeHash),
    note,
    parsedNote,
    checkpoint: parseCheckpoint(parsedNote.text),
  }
}

function parseOld(line: string): number {
  const [, size] = /^old (0|[1-9][0-9]{0,15})$/.exec(line) ?? []
  if (size === undefined || !Number.isSafeInteger(Number(size))) throw invalid('its old size is malformed')
  return Number(size)
}

function decodeHash(line: string): Uint8Array {
  let hash: Uint8Array
  try {
    hash = fromBase64(line)
  } catch (cause) {
    throw invalid('a hash of its proof is not base64', cause)
  }
  if (hash.length !== hashBytes) throw invalid('a hash of its proof is not 32 bytes long')
  return hash
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-checkpoint', { detail: `The request to a witness is not valid: ${detail}`, cause })
}
