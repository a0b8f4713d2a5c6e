import { equalBytes } from '@tillit/codec'
import { type ParsedNote, parseNote, quorumMet, type TrustPolicy } from '@tillit/log'

/** Whether a line of the note names the key; whether its signature verifies is for whoever relies on it. */
export function namesKey({ signatures }: ParsedNote, key: { readonly name: string; readonly id: Uint8Array }): boolean {
  return signatures.some(({ name, keyId }) => name === key.name && equalBytes(keyId, key.id))
}

/** Adds the signature lines of another note of the same text that the note has not. What it has stays as it is. */
export function addSignatures(note: string, other: string): string {
  const has = new Set(signatureLines(note))
  return (
    note +
    signatureLines(other)
      .filter((line) => !has.has(line))
      .map((line) => `${line}\n`)
      .join('')
  )
}

/** The policy's witnesses that the note has cosignatures of, by their names in the policy. */
export function cosignersOf(note: string, { witnesses }: TrustPolicy): ReadonlySet<string> {
  const parsed = parseNote(note)
  return new Set(witnesses.filter(({ key }) => namesKey(parsed, key)).map(({ name }) => name))
}

/** Whether the cosignatures that the note has are enough for the policy. */
export function isCosigned(note: string, policy: TrustPolicy): boolean {
  return quorumMet(policy, cosignersOf(note, policy))
}

function signatureLines(note: string): string[] {
  return note.slice(note.lastIndexOf('\n\n') + 2, -1).split('\n')
}
