import { concat, utf8 } from '@tillit/codec'
import { type MlDsa44Signer, type Signer, verifyMlDsa44, verifySignature } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { parseCheckpoint } from './checkpoint.ts'
import { type CosignerKey, cosignerKey, maxCosignedNameBytes } from './cosigner-key.ts'
import { formatSignatureLine, type ParsedNote, parseNote, signaturesBy } from './note.ts'

const timestampBytes = 8
const signatureBytes = { ed25519: 64, 'ml-dsa-44': 2420 } as const

const mlDsaLabel = utf8('subtree/v1\n\0')

export interface Cosigner {
  readonly name: string
  readonly signer: Signer | MlDsa44Signer
  /** POSIX time of the cosignature. */
  readonly timestampSeconds: number
}

/**
 * A cosignature on the text of a checkpoint: one signature line with its newline, to be put under the note (C2SP
 * tlog-cosignature). Whether the checkpoint may be cosigned is for the caller to judge. Throws Problem invalid-checkpoint
 * when the text is not a checkpoint, or the key not one that cosigns.
 */
export async function cosignCheckpoint(
  noteText: string,
  { name, signer, timestampSeconds }: Cosigner,
): Promise<string> {
  const key = cosignerKey(name, signer.publicKey)
  const signature = await signer.sign(cosignedMessage(noteText, key, timestampSeconds))
  return formatSignatureLine({ name, keyId: key.id, signature: concat(bigEndian(timestampSeconds), signature) })
}

/**
 * The time of the newest cosignature by this key; null when there is none. (0 on an ML-DSA-44 cosignature means: consistent
 * with all that the witness saw, but nothing said about when.) Throws Problem invalid-checkpoint when one by this key does
 * not verify, or the note is malformed.
 */
export function verifyCosignature(note: string, key: CosignerKey): { timestampSeconds: number } | null {
  return cosignatureIn(parseNote(note), key)
}

/** As verifyCosignature, for a note that is taken apart already. */
export function cosignatureIn(note: ParsedNote, key: CosignerKey): { timestampSeconds: number } | null {
  const times = signaturesBy(note, key).map(({ signature }) => verifyOne(note.text, signature, key))
  return times.length === 0 ? null : { timestampSeconds: Math.max(...times) }
}

function verifyOne(noteText: string, timestamped: Uint8Array, key: CosignerKey): number {
  if (timestamped.length !== timestampBytes + signatureBytes[key.type])
    throw invalid(`the cosignature of ${key.name} has another length than its type`)
  const timestampSeconds = parseBigEndian(timestamped.slice(0, timestampBytes))
  const signature = timestamped.slice(timestampBytes)
  const message = cosignedMessage(noteText, key, timestampSeconds)
  const verifies =
    key.type === 'ed25519'
      ? verifySignature(key.publicKey, message, signature)
      : verifyMlDsa44(key.publicKey, message, signature)
  if (!verifies) throw invalid(`the cosignature of ${key.name} is wrong`)
  return timestampSeconds
}

function cosignedMessage(noteText: string, key: CosignerKey, timestampSeconds: number): Uint8Array {
  const { origin, size, root } = parseCheckpoint(noteText)
  // C2SP tlog-cosignature, Ed25519 signed message: it covers the whole text, extension lines too.
  if (key.type === 'ed25519') return utf8(`cosignature/v1\ntime ${timestampSeconds}\n${noteText}`)
  // C2SP tlog-cosignature, ML-DSA-44 signed message: it covers the tree, and the cosigner's name.
  const start = bigEndian(0)
  return concat(mlDsaLabel, named(key.name), bigEndian(timestampSeconds), named(origin), start, bigEndian(size), root)
}

function named(name: string): Uint8Array {
  const bytes = utf8(name)
  if (bytes.length > maxCosignedNameBytes) throw invalid('a name in it is longer than an ML-DSA-44 cosignature can say')
  return concat(Uint8Array.of(bytes.length), bytes)
}

function bigEndian(number: number): Uint8Array {
  if (!Number.isSafeInteger(number) || number < 0)
    throw new RangeError('times and sizes are whole numbers from zero on')
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number))
  return bytes
}

function parseBigEndian(bytes: Uint8Array): number {
  const number = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0)
  // The year 285 million; the specification's own limit is further off.
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid('the time of a cosignature is out of range')
  return Number(number)
}

function invalid(detail: string): Problem {
  return new Problem('invalid-checkpoint', { detail: `The checkpoint is not valid: ${detail}` })
}
