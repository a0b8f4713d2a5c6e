import { concat, equalBytes, fromBase64, toBase64, utf8 } from '@tillit/codec'
import { type Signer, verifySignature } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { isKeyName, type VerifierKey, verifierKey } from './verifier-key.ts'

/** Longest note parsed, in characters: room for a checkpoint and its post-quantum cosignatures (nearly 5 kB each). */
const maxNoteCharacters = 100_000

/** Most signatures on one note; the specification asks for at least 16. */
const maxSignatures = 32

export interface NoteSignature {
  readonly name: string
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

/** A note taken apart; nothing about it is verified. `text` ends with a newline. */
export interface ParsedNote {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A signed note (C2SP signed-note). `text` must end with a newline; `name` is the key's name. */
export async function signNote(text: string, name: string, signer: Signer): Promise<string> {
  if (!text.endsWith('\n') || hasControls(text)) throw new RangeError('a note is lines of text, each with its newline')
  const key = verifierKey(name, signer.publicKey)
  const signature = await signer.sign(utf8(text))
  return `${text}\n— ${name} ${toBase64(concat(key.id, signature))}\n`
}

/** Parses strictly, without verifying. Throws Problem invalid-checkpoint. */
export function parseNote(note: string): ParsedNote {
  if (note.length > maxNoteCharacters) throw invalid('it is too long')
  if (hasControls(note) || !note.isWellFormed()) throw invalid('it holds control characters or broken text')
  const split = note.lastIndexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) throw invalid('it has no signatures')
  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > maxSignatures) throw invalid('it has too many signatures')
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignatureLine) }
}

/**
 * Gives the text of a note that the key signed. Signatures by other keys are ignored; one by this key that does not
 * verify spoils the note. Throws Problem invalid-checkpoint.
 */
export function verifyNote(note: string, key: VerifierKey): string {
  const { text, signatures } = parseNote(note)
  const own = signatures.filter((signature) => signature.name === key.name && equalBytes(signature.keyId, key.id))
  if (own.length === 0) throw invalid(`it is not signed by ${key.name}`)
  for (const { signature } of own) {
    if (!verifySignature(key.publicKey, utf8(text), signature)) throw invalid(`the signature of ${key.name} is wrong`)
  }
  return text
}

function parseSignatureLine(line: string): NoteSignature {
  const [dash, name, encoded, more] = line.split(' ')
  if (dash !== '—' || name === undefined || encoded === undefined || more !== undefined || !isKeyName(name)) {
    throw invalid('a signature line is malformed')
  }
  let bytes: Uint8Array
  try {
    bytes = fromBase64(encoded)
  } catch (cause) {
    throw invalid('a signature is not base64', cause)
  }
  if (bytes.length < 5) throw invalid('a signature is too short')
  return { name, keyId: bytes.slice(0, 4), signature: bytes.slice(4) }
}

/** ASCII control characters other than newline may not stand in a note. */
function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 && code !== 0x0a) return true
  }
  return false
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-checkpoint', { detail: `The note is not valid: ${detail}`, cause })
}
