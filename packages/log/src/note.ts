import { concat, equalBytes, fromBase64, toBase64, utf8 } from '@tillit/codec'
import { type Signer, verifySignature } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { type VerifierKey, verifierKey } from './verifier-key.ts'
import { isKeyName, keyIdBytes } from './vkey.ts'

/** Longest note parsed, in characters: room for two cosignatures (3.4 kB the longer one) of each of 32 witnesses. */
const maxNoteCharacters = 200_000

/** Most signatures on one note; the specification asks for at least 16. */
const maxSignatures = 80

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
  return `${text}\n${formatSignatureLine({ name, keyId: key.id, signature })}`
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
  const parsed = parseNote(note)
  if (!isSignedBy(parsed, key)) throw invalid(`it is not signed by ${key.name}`)
  return parsed.text
}

/**
 * Whether the key signed the note. A log whose key is being changed signs with both, and each is judged by itself. Throws
 * Problem invalid-checkpoint when a signature by this key does not verify.
 */
export function isSignedBy(note: ParsedNote, key: VerifierKey): boolean {
  const own = signaturesBy(note, key)
  for (const { signature } of own) {
    if (!verifySignature(key.publicKey, utf8(note.text), signature))
      throw invalid(`the signature of ${key.name} is wrong`)
  }
  return own.length > 0
}

/** The signatures on lines that name this key; not verified. */
export function signaturesBy(
  { signatures }: ParsedNote,
  key: { readonly name: string; readonly id: Uint8Array },
): readonly NoteSignature[] {
  return signatures.filter(({ name, keyId }) => name === key.name && equalBytes(keyId, key.id))
}

/** The signatures by this key that verify. Others under its name may be anyone's. */
export function verifiedSignatures(note: ParsedNote, key: VerifierKey): readonly NoteSignature[] {
  return signaturesBy(note, key).filter(({ signature }) => verifySignature(key.publicKey, utf8(note.text), signature))
}

/** The note with no other signatures than those of these keys that verify. */
export function keepSignaturesOf(keys: readonly VerifierKey[], note: ParsedNote): string {
  const lines = keys.flatMap((key) => verifiedSignatures(note, key)).map(formatSignatureLine)
  return `${note.text}\n${lines.join('')}`
}

/** A signature line with its newline (C2SP signed-note, format). */
export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  return `— ${name} ${toBase64(concat(keyId, signature))}\n`
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
  if (bytes.length <= keyIdBytes) throw invalid('a signature is too short')
  return { name, keyId: bytes.slice(0, keyIdBytes), signature: bytes.slice(keyIdBytes) }
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
