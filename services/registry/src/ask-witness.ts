import { consistencyProof, formatAddCheckpoint, type ReadTiles, verifyCosignature } from '@tillit/log'
import { isProblem } from '@tillit/problem'
import type { WitnessReply } from '@tillit/witness'
import type { SignedCheckpoint } from './log-store.ts'
import type { Witness } from './witnessing.ts'

/** Longest answer that is looked at, in characters: a post-quantum cosignature takes about 3,400. */
const maxReplyCharacters = 32_768

/** Most signature lines of one answer that are looked at; a witness has one for each of its keys. */
const maxReplyLines = 8

export interface Cosignature {
  /** The witness's name in the policy. */
  readonly name: string
  /** The signature line, with its newline. */
  readonly line: string
  readonly timestampSeconds: number
}

export interface WitnessAnswer {
  readonly cosignatures: readonly Cosignature[]
  /** What was wrong, in words for the operator; null when all its keys cosigned. */
  readonly fault: string | null
}

/**
 * Asks one witness to cosign (C2SP tlog-witness, add-checkpoint), proving that the checkpoint extends the one it cosigned
 * last. Nothing it answers is believed: what does not verify under its keys of the policy is left out. Never throws for what
 * a witness does or leaves undone; throws when our own tiles cannot be read.
 */
export async function askWitness(
  witness: Witness,
  checkpoint: SignedCheckpoint,
  options: { knownSize: number; readTiles: ReadTiles; signal: AbortSignal },
): Promise<WitnessAnswer> {
  const knownSize = Math.min(options.knownSize, checkpoint.size)
  const first = await submit(witness, checkpoint, { ...options, oldSize: knownSize })
  if ('fault' in first) return first
  if (first.status !== 409) return judge(first, witness, checkpoint)
  const size = parseSize(first.body)
  if (size === null) return failed('it answered 409 without the size that it has cosigned')
  if (size > checkpoint.size)
    return failed(`it says that it has cosigned ${size} entries, which is more than the log has signed`)
  if (size === knownSize) return failed(`it says that it has cosigned another tree of ${size} entries`)
  const second = await submit(witness, checkpoint, { ...options, oldSize: size })
  if ('fault' in second) return second
  if (second.status === 409) return failed('it names another size each time it is asked')
  return judge(second, witness, checkpoint)
}

async function submit(
  { peer }: Witness,
  checkpoint: SignedCheckpoint,
  { oldSize, readTiles, signal }: { oldSize: number; readTiles: ReadTiles; signal: AbortSignal },
): Promise<WitnessReply | WitnessAnswer> {
  const proof = await consistencyProof(oldSize, checkpoint.size, readTiles)
  try {
    signal.throwIfAborted()
    return await untilAborted(
      peer.addCheckpoint(formatAddCheckpoint({ oldSize, proof, note: checkpoint.note }), signal),
      signal,
    )
  } catch (error) {
    if (signal.aborted) return failed(wordsOfAbort(signal))
    return failed(isProblem(error) ? error.message : 'it cannot be reached')
  }
}

function judge(reply: WitnessReply, witness: Witness, checkpoint: SignedCheckpoint): WitnessAnswer {
  switch (reply.status) {
    case 200:
      return readCosignatures(reply.body, witness, checkpoint)
    case 403:
      return failed('it does not trust the key of this log (403)')
    case 404:
      return failed('it does not know this log (404)')
    case 422:
      return failed('it says that the checkpoint does not extend the one that it has cosigned (422)')
    default:
      return failed(`it answered ${reply.status}`)
  }
}

/** Each line stands for itself, so that a wrong one does not spoil the others. */
function readCosignatures(body: string, { keys }: Witness, checkpoint: SignedCheckpoint): WitnessAnswer {
  if (body.length > maxReplyCharacters) return failed('its answer is too long')
  const cosignatures = new Map<string, Cosignature>()
  let wrong: string | null = null
  for (const line of body.split('\n').slice(0, maxReplyLines)) {
    if (line === '') continue
    try {
      const found = verifyLine(`${line}\n`, keys, checkpoint.note)
      if (found === null) wrong ??= 'a cosignature is by a key that the policy does not name for it'
      else if (!cosignatures.has(found.name)) cosignatures.set(found.name, found)
    } catch {
      // Whatever the parser or the verifier has against it; the line itself is the witness's word and is not told on.
      wrong ??= 'a cosignature of it does not verify'
    }
  }
  const missing = keys.filter(({ name }) => !cosignatures.has(name)).map(({ name }) => name)
  const fault = missing.length > 0 ? (wrong ?? `it did not cosign as ${missing.join(', ')}`) : null
  return { cosignatures: [...cosignatures.values()], fault }
}

function verifyLine(line: string, keys: Witness['keys'], note: string): Cosignature | null {
  for (const { name, key } of keys) {
    const verified = verifyCosignature(note + line, key)
    if (verified !== null) return { name, line, timestampSeconds: verified.timestampSeconds }
  }
  return null
}

/** C2SP tlog-witness: the size in decimal and a newline. */
function parseSize(body: string): number | null {
  const [, digits] = /^(0|[1-9][0-9]{0,15})\n$/.exec(body) ?? []
  const size = Number(digits)
  return digits !== undefined && Number.isSafeInteger(size) ? size : null
}

function failed(fault: string): WitnessAnswer {
  return { cosignatures: [], fault }
}

/** A peer that does not heed the signal does not hold us up either. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([work, aborted.promise]).finally(() => signal.removeEventListener('abort', abort))
}

function wordsOfAbort({ reason }: AbortSignal): string {
  return reason instanceof Error && reason.name === 'TimeoutError'
    ? 'it did not answer in time'
    : 'it had not answered when the others had met the quorum'
}
