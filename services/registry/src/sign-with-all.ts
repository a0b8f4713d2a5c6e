import type { Signer } from '@tillit/keys'
import { type Checkpoint, formatCheckpoint, parseNote, signCheckpoint, verifierKey } from '@tillit/log'
import { addSignatures, namesKey } from './renew-note.ts'

/** The note of a checkpoint, signed with every key of the log: while one key gives way to another, both sign. */
export async function signWithAll(checkpoint: Checkpoint, signers: readonly Signer[]): Promise<string> {
  if (signers.length === 0) throw new RangeError('the log has no key')
  const text = formatCheckpoint(checkpoint)
  const notes = await Promise.all(signers.map((signer) => signCheckpoint(checkpoint, signer)))
  return `${text}\n${notes.map((note) => note.slice(text.length + 1)).join('')}`
}

/** The same note, signed also with those keys of the log that have not signed it; as it is when all have. */
export async function signWithMissing(
  note: string,
  checkpoint: Checkpoint,
  signers: readonly Signer[],
): Promise<string> {
  const parsed = parseNote(note)
  const missing = signers.filter(({ publicKey }) => !namesKey(parsed, verifierKey(checkpoint.origin, publicKey)))
  return missing.length === 0 ? note : addSignatures(note, await signWithAll(checkpoint, missing))
}
