import { fromBase64, toBase64 } from '@tillit/codec'
import type { Signer } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { hashBytes } from './commit.ts'
import { signNote, verifyNote } from './note.ts'
import type { VerifierKey } from './verifier-key.ts'

/** The head of a log (C2SP tlog-checkpoint). `root` is 32 bytes. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/** The signed note of a checkpoint; the origin is the name of the log's key. */
export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): Promise<string> {
  return signNote(formatCheckpoint(checkpoint), checkpoint.origin, signer)
}

/**
 * Gives the checkpoint in a note that the log's key signed; its origin must be the key's name. Throws Problem
 * invalid-checkpoint.
 */
export function verifyCheckpoint(note: string, key: VerifierKey): Checkpoint {
  const checkpoint = parseCheckpoint(verifyNote(note, key))
  if (checkpoint.origin !== key.name) throw invalid('its origin is not the name of the log key')
  return checkpoint
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`
}

/** Parses the text of a checkpoint note. Extension lines are allowed and ignored. Throws Problem invalid-checkpoint. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.endsWith('\n') ? text.slice(0, -1).split('\n') : []
  const [origin, size, root] = lines
  if (!origin || !size || !root || lines.includes('')) throw invalid('it is not three lines or more')
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    throw invalid('its size is malformed')
  return { origin, size: Number(size), root: decodeRoot(root) }
}

function decodeRoot(text: string): Uint8Array {
  let root: Uint8Array
  try {
    root = fromBase64(text)
  } catch (cause) {
    throw invalid('its root is not base64', cause)
  }
  if (root.length !== hashBytes) throw invalid('its root is not 32 bytes long')
  return root
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-checkpoint', { detail: `The checkpoint is not valid: ${detail}`, cause })
}
