import { parseJson } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import { checkEntryShape } from './entry-shape.ts'

/** Largest `did.jsonl` read, in characters; at about 2 kB an entry that is thousands of versions. */
export const maxDidLogCharacters = 8 * 1024 * 1024

/** The entries of a `did.jsonl` (JSON Lines). Their shape is checked, nothing is verified. Throws Problem invalid-did-log. */
export function parseDidLog(text: string): DidLogEntry[] {
  if (text.length > maxDidLogCharacters) throw new Problem('invalid-did-log', { detail: 'The log is too long' })
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line, index) => {
    try {
      return checkEntryShape(parseJson(line))
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : 'not JSON'
      throw new Problem('invalid-did-log', { detail: `Line ${index + 1}: ${detail}`, cause })
    }
  })
}

/** The text of a `did.jsonl`: one entry a line, each line ended. */
export function formatDidLog(entries: readonly DidLogEntry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
}
