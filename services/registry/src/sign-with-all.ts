import type { Signer } from '@tillit/keys'
import { type Checkpoint, formatCheckpoint, signCheckpoint } from '@tillit/log'

/** The note of a checkpoint, signed with every key of the log: while one key gives way to another, both sign. */
export async function signWithAll(checkpoint: Checkpoint, signers: readonly Signer[]): Promise<string> {
  if (signers.length === 0) throw new RangeError('the log has no key')
  const text = formatCheckpoint(checkpoint)
  const notes = await Promise.all(signers.map((signer) => signCheckpoint(checkpoint, signer)))
  return `${text}\n${notes.map((note) => note.slice(text.length + 1)).join('')}`
}
