import { type Entry, type Members, now } from './make-entry.ts'

/** What is written in the end: the vectors by their sentences, in the order in which they were added. */
export const valid: Record<string, Members> = {}
export const invalid: Record<string, Members> = {}

export function accept(sentence: string, log: Entry[], state: Members): void {
  valid[sentence] = { kind: 'log', now, log, state }
}

export function refuse(sentence: string, log: unknown[], pointer: string, code = 'invalid-did-log'): void {
  invalid[sentence] = { kind: 'log', now, log, code, pointer }
}
