import { sha256, toHex, utf8 } from '@tillit/codec'
import { type Checkpoint, parseCheckpoint, parseNote } from '@tillit/log'
import { Problem } from '@tillit/problem'

const heading = 'tillit-witness-state v1'

/** What a witness remembers of a log: the checkpoint that it cosigned last. */
export interface WitnessRecord {
  readonly checkpoint: Checkpoint
  /** POSIX time of its cosignatures; later ones are never earlier. */
  readonly timestampSeconds: number
  /** The note with the log's signatures and the witness's cosignatures. */
  readonly note: string
}

/** Name of the file of a log's record, and of its checkpoint for monitors: SHA-256 of its origin, hexadecimal. */
export function originHash(origin: string): string {
  return toHex(sha256(utf8(origin)))
}

/** A heading, the hash of everything that follows its line, the time, and the note. */
export function formatRecord({ timestampSeconds, note }: WitnessRecord): string {
  const content = `time ${timestampSeconds}\n${note}`
  return `${heading}\nsha256 ${toHex(sha256(utf8(content)))}\n${content}`
}

/** Throws Problem witness-state-damaged on whatever this did not write, to the byte. */
export function parseRecord(text: string, file: string): WitnessRecord {
  try {
    const [first, second, third] = text.split('\n', 3)
    const [, time] = /^time ([0-9]{1,16})$/.exec(third ?? '') ?? []
    if (first !== heading || second === undefined || time === undefined) throw damaged(file)
    const content = text.slice(first.length + second.length + 2)
    if (second !== `sha256 ${toHex(sha256(utf8(content)))}`) throw damaged(file)
    const note = content.slice(content.indexOf('\n') + 1)
    return { checkpoint: parseCheckpoint(parseNote(note).text), timestampSeconds: Number(time), note }
  } catch (cause) {
    throw damaged(file, cause)
  }
}

export function damaged(file: string, cause?: unknown): Problem {
  return new Problem('witness-state-damaged', {
    detail: `The witness's record ${file} is damaged. Put back the one it was: going on without it could cosign a fork`,
    cause,
  })
}
